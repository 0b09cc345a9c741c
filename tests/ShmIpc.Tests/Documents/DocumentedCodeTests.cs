using System.Text.RegularExpressions;
using ShmIpc.Tests.Architecture;
using Xunit;

namespace ShmIpc.Tests.Documents;

/// <summary>What README.md and docs/ show as C# is code of the tests, word for word, so that it compiles; most of it runs there, too. The code of
/// a document stands in a file of this folder, in the one beside the serializers' tests, or in that of the hosting tests.</summary>
public sealed partial class DocumentedCodeTests
{
    [Fact]
    public void Every_piece_of_code_in_the_documents_is_compiled()
    {
        string compiled = string.Concat(SourceTree.Files
            .Where(file => file.Path.StartsWith("tests/", StringComparison.Ordinal) && file.Path.EndsWith(".cs", StringComparison.Ordinal))
            .Select(file => Squeeze(file.Text)));
        (string Path, string Code)[] pieces =
        [
            .. SourceTree.Files.Where(file => file.Path == "README.md" || DocumentPath().IsMatch(file.Path))
                .SelectMany(file => PiecesOf(file.Text).Select(code => (file.Path, code))),
        ];
        Assert.Contains(pieces, piece => piece.Path == "README.md");
        Assert.Contains(pieces, piece => piece.Path == "docs/memory.md");
        var missing = pieces.Where(piece => !compiled.Contains(Squeeze(piece.Code), StringComparison.Ordinal))
            .Select(piece => $"{piece.Path} shows what no test compiles:\n{piece.Code}");
        Assert.Empty(missing);
    }

    [Fact]
    public void Code_in_two_columns_is_two_pieces()
    {
        const string Two = "```csharp\n// one   // other\nA();     B();\n         C();\n```\n";
        Assert.Equal(["// one A();", "// other B(); C();"], PiecesOf(Two).Select(Squeeze));
        Assert.Equal(["A(); // one"], PiecesOf("text\n```csharp\nA();   // one\n```\n").Select(Squeeze));
        Assert.Empty(PiecesOf("```c\nA();\n```\n"));
    }

    private static IEnumerable<string> PiecesOf(string text)
    {
        foreach (Match block in CodeBlock().Matches(text))
        {
            var code = block.Groups["code"].Value;
            if (TwoColumns().Match(code) is not { Success: true } titles)
            {
                yield return code;
                continue;
            }

            var width = titles.Groups["left"].Length;
            var lines = code.Split('\n');
            yield return string.Join('\n', lines.Select(line => line.Length <= width ? line : line[..width]));
            yield return string.Join('\n', lines.Select(line => line.Length <= width ? "" : line[width..]));
        }
    }

    private static string Squeeze(string code) => WhiteSpace().Replace(code, " ").Trim();

    [GeneratedRegex("```csharp\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    // Each column has a comment as its title.
    [GeneratedRegex(@"\A(?<left>//.*?\s{2,})//")]
    private static partial Regex TwoColumns();

    [GeneratedRegex(@"\s+")]
    private static partial Regex WhiteSpace();

    [GeneratedRegex(@"^docs/[^/]+\.md$")]
    private static partial Regex DocumentPath();
}
