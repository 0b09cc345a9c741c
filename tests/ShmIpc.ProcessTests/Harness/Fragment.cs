// What a run of the tests found out for docs/failure-model.md: a part of that document, which docs/update.sh puts in its place.

namespace ShmIpc.ProcessTests.Harness;

internal static class Fragment
{
    public static string Repository { get; } = Find();

    /// <summary>Keeps the text of a section, between the lines that begin and end it. Not where another user's repository is tested, or
    /// one that is mounted read-only: what was shown is shown all the same.</summary>
    public static void Write(string section, string markdown)
    {
        string folder = Path.Combine(Repository, "TestResults", "failure-model");
        try
        {
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, section + ".md"), markdown.TrimEnd('\n') + "\n");
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException { HResult: Linux.EROFS })
        {
        }
    }

    private static string Find()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "ShmIpc.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new DirectoryNotFoundException($"No ShmIpc.sln in {AppContext.BaseDirectory} or above it.");
    }
}
