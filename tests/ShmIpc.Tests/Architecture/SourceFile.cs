// One file of the repository, as the rules see it.

namespace ShmIpc.Tests.Architecture;

internal sealed record SourceFile(string Path, string Text)
{
    /// <summary>The C# code without its comments and without the text of its strings, line for line.</summary>
    public string Code { get; } = Path.EndsWith(".cs", StringComparison.Ordinal) ? CSharpCode.WithoutCommentsAndStrings(Text) : "";

    public IEnumerable<string> Lines => Text.Split('\n').Select(line => line.TrimEnd('\r'));

    public bool IsCSharpUnder(string folder) =>
        Path.EndsWith(".cs", StringComparison.Ordinal) && Path.StartsWith(folder, StringComparison.Ordinal);
}
