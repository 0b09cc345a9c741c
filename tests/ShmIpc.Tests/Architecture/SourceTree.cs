// The text files of the repository: found from the test assembly upwards to the solution, without what builds leave behind.

namespace ShmIpc.Tests.Architecture;

internal static class SourceTree
{
    private static readonly string[] _skippedFolders = ["bin", "obj", "artifacts", "TestResults", ".git", ".vs", ".vscode", ".idea"];
    private static readonly Lazy<IReadOnlyList<SourceFile>> _files = new(Read);

    public static IReadOnlyList<SourceFile> Files => _files.Value;

    private static SourceFile[] Read()
    {
        DirectoryInfo? root = new(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "ShmIpc.sln"))) root = root.Parent;
        if (root is null) throw new DirectoryNotFoundException($"No ShmIpc.sln in {AppContext.BaseDirectory} or above it.");
        return [.. Walk(root).Select(file => Path.GetRelativePath(root.FullName, file.FullName)).Order(StringComparer.Ordinal)
            .Select(path => new SourceFile(path, File.ReadAllText(Path.Combine(root.FullName, path))))
            .Where(file => !file.Text.Contains('\0', StringComparison.Ordinal))]; // text files only
    }

    private static IEnumerable<FileInfo> Walk(DirectoryInfo folder) => folder.EnumerateFiles().Where(file => file.Name != ".git")
        .Concat(folder.EnumerateDirectories().Where(child => !_skippedFolders.Contains(child.Name)).SelectMany(Walk));
}
