using System.Text.RegularExpressions;
using Xunit;

namespace ShmIpc.Tests.Architecture;

/// <summary>docs/benchmarks.md has a place for everything that ./bench.sh writes, and the plots that it shows are there.</summary>
public sealed partial class BenchmarksDocumentTests
{
    private const string Document = "docs/benchmarks.md";
    private const int LargestPlotCharacters = 200_000;

    private static string Text => TextOf(Document);

    [Fact]
    public void Each_section_that_the_benchmarks_write_has_its_place()
    {
        string sections = TextOf("tests/ShmIpc.Benchmarks/Reports/Sections.cs");
        string[] markers = [.. Marker().Matches(Text).Select(match => match.Groups["name"].Value)];
        string ofScenarios = TextOf("tests/ShmIpc.Benchmarks/Scenarios/Section.cs");
        string[] written =
        [
            .. SectionName().Matches(sections).Select(match => match.Groups["name"].Value),
            .. EnumMember().Matches(ofScenarios).Select(match => match.Groups["name"].Value.ToLowerInvariant()),
        ];
        Assert.All(markers, name => Assert.Contains(name, written));
        Assert.All(written, name => Assert.Contains(name, markers));
        Assert.Distinct(markers);
    }

    [Fact]
    public void Each_place_ends_before_the_next_begins() =>
        Assert.All(Marker().Matches(Text), match =>
        {
            string rest = Text[(match.Index + match.Length)..];
            int end = rest.IndexOf($"\n<!-- end {match.Groups["name"].Value} -->\n", StringComparison.Ordinal);
            int next = rest.IndexOf("<!-- begin ", StringComparison.Ordinal);
            Assert.True(end >= 0 && (next < 0 || end < next), $"{match.Value} has no end.");
        });

    [Fact]
    public void The_plots_are_there_and_shown_and_small()
    {
        string[] linked = [.. Plot().Matches(Text).Select(match => $"docs/{match.Groups["path"].Value}").Distinct()];
        SourceFile[] plots = [.. SourceTree.Files.Where(file => file.Path.StartsWith("docs/benchmarks/", StringComparison.Ordinal))];
        Assert.Equal(linked.Order(StringComparer.Ordinal), plots.Select(plot => plot.Path).Order(StringComparer.Ordinal));
        Assert.All(plots, plot => Assert.True(plot.Text.Length < LargestPlotCharacters, $"{plot.Path} is too large."));
    }

    private static string TextOf(string path) => SourceTree.Files.Single(file => file.Path == path).Text;

    [GeneratedRegex("^<!-- begin (?<name>[a-z]+) -->$", RegexOptions.Multiline)]
    private static partial Regex Marker();

    [GeneratedRegex("""(?<=Write\()"(?<name>[a-z]+)",""")]
    private static partial Regex SectionName();

    [GeneratedRegex("^    (?<name>[A-Z][a-z]+),$", RegexOptions.Multiline)]
    private static partial Regex EnumMember();

    [GeneratedRegex(@"\((?<path>benchmarks/[^)]+)\)")]
    private static partial Regex Plot();
}
