// How files look: their size, their first words, the names of their types, and what no file may contain.

using System.Text.RegularExpressions;

namespace ShmIpc.Tests.Architecture;

internal static partial class TextRules
{
    private const int MaxLines = 400;
    private const int MaxLineLength = 140;

    // In pieces, so that this file does not break its own rule.
    private static readonly string[] _registryHosts = ["nuget" + ".org", "myget" + ".org", "pkgs.dev" + ".azure.com"];

    public static IEnumerable<string> Length(SourceFile file)
    {
        if (!file.IsCSharpUnder("src/")) yield break;
        int number = 0;
        foreach (string line in file.Lines)
        {
            number++;
            if (line.Length > MaxLineLength) yield return $"line {number} has {line.Length} characters, {MaxLineLength} are allowed";
        }

        if (number - 1 > MaxLines) yield return $"has {number - 1} lines, {MaxLines} are allowed";
    }

    public static IEnumerable<string> TypeNames(SourceFile file) => file.IsCSharpUnder("src/")
        ? VagueType().Matches(file.Code).Select(match => $"the type {match.Groups["name"].Value} is named after nothing it does")
        : [];

    public static IEnumerable<string> FirstWords(SourceFile file)
    {
        if (file.IsCSharpUnder("src/")
            && !file.Text.TrimStart('\uFEFF').TrimStart().StartsWith("//", StringComparison.Ordinal)
            && !file.Text.Contains("/// <summary>", StringComparison.Ordinal))
        {
            yield return "says nowhere what it is for: no comment in its first line and no summary";
        }
    }

    public static IEnumerable<string> RegistryHosts(SourceFile file) => _registryHosts
        .Where(host => file.Text.Contains(host, StringComparison.OrdinalIgnoreCase))
        .Select(host => $"names the package registry {host}; where packages come from is the machine's business");

    public static IEnumerable<string> TrailingSpace(SourceFile file) => file.Lines
        .Select((line, index) => (line, number: index + 1))
        .Where(entry => entry.line.EndsWith(' ') || entry.line.EndsWith('\t'))
        .Select(entry => $"line {entry.number} ends in white space");

    [GeneratedRegex(@"\b(class|struct|interface|enum|record|delegate\s+\S+)\s+(?<name>\w*(Manager|Helper|Util|Info|Data)s?)\b")]
    private static partial Regex VagueType();
}
