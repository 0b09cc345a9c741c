// What was run and what was not: by folder, and line by line.

using System.Globalization;
using System.Text;

namespace ShmIpc.Coverage;

internal sealed class Report
{
    private readonly Dictionary<(string File, int Line), (string Method, bool IsRun)> _lines = [];
    private readonly Justifications _justifications;

    public Report(IReadOnlyList<Point> points, ReadOnlySpan<byte> hits, Justifications justifications)
    {
        _justifications = justifications;
        for (int i = 0; i < points.Count; i++)
        {
            for (int line = points[i].First; line <= points[i].Last; line++)
            {
                bool wasRun = _lines.TryGetValue((points[i].File, line), out (string Method, bool IsRun) known) && known.IsRun;
                _lines[(points[i].File, line)] = (points[i].Method, wasRun || hits[i] != 0);
            }
        }
    }

    public double Percent => PercentOf(_lines.Values);

    public string Write()
    {
        StringBuilder text = new();
        text.AppendLine("| folder | lines | run by tests | |").AppendLine("|---|---:|---:|---:|");
        foreach (var folder in _lines.GroupBy(line => Path.GetDirectoryName(line.Key.File) is { Length: > 0 } name ? name : "(root)")
            .OrderBy(folder => folder.Key, StringComparer.Ordinal))
        {
            Row(folder.Key, [.. folder.Select(line => line.Value)]);
        }

        Row("all", _lines.Values);
        text.AppendLine().AppendLine("| not run | lines | why |").AppendLine("|---|---|---|");
        foreach (var method in _lines.Where(line => !line.Value.IsRun).GroupBy(line => (line.Key.File, line.Value.Method))
            .OrderBy(method => method.Key.File, StringComparer.Ordinal).ThenBy(method => method.Min(line => line.Key.Line)))
        {
            string why = _justifications.Of(method.Key.File, method.Key.Method) ?? "**not justified**";
            string lines = Ranges([.. method.Select(line => line.Key.Line).Order()]);
            text.AppendLine(CultureInfo.InvariantCulture, $"| {method.Key.File}: {method.Key.Method} | {lines} | {why} |");
        }

        foreach (string unused in _justifications.Unused)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"| {unused} | | justified, and run: strike it out |");
        }

        return text.ToString();

        void Row(string name, ICollection<(string Method, bool IsRun)> lines) => text.AppendLine(
            CultureInfo.InvariantCulture, $"| {name} | {lines.Count} | {lines.Count(line => line.IsRun)} | {PercentOf(lines):F1} % |");
    }

    private static double PercentOf(ICollection<(string Method, bool IsRun)> lines) =>
        100.0 * lines.Count(line => line.IsRun) / Math.Max(lines.Count, 1);

    private static string Ranges(List<int> lines)
    {
        List<string> ranges = [];
        for (int first = 0, last; first < lines.Count; first = last + 1)
        {
            last = first;
            while (last + 1 < lines.Count && lines[last + 1] == lines[last] + 1)
            {
                last++;
            }

            ranges.Add(first == last ? $"{lines[first]}" : $"{lines[first]}-{lines[last]}");
        }

        return string.Join(", ", ranges);
    }
}
