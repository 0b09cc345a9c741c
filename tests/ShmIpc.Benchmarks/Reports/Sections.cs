// The parts of docs/benchmarks.md that a run writes, a file each; docs/update.sh puts them between the document's markers. A scenario's
// name decides where it goes; one that nobody thought of goes to the last section, so that nothing is left out.

using ShmIpc.Benchmarks.Reports.Plots;
using ShmIpc.Benchmarks.Scenarios;

namespace ShmIpc.Benchmarks.Reports;

internal static class Sections
{
    private const string Rest = "others";

    private const int MostRowsShown = 25; // more are folded

    // The first word that the name contains decides.
    private static readonly (string Word, string Section)[] _byWord =
    [
        ("typed", "typed"), ("messagepack", "typed"), ("blittable", "typed"), ("async", "typed"), ("await", "typed"),
        ("flush", "durability"), ("durable", "durability"), ("disk", "durability"), ("file", "durability"), ("checksum", "durability"),
        ("publishing-cost", "scaling"), ("attach", "costs"), ("idle", "costs"), ("memory", "costs"), ("recovery", "costs"),
        ("producers", "scaling"), ("lanes", "scaling"), ("groups", "scaling"), ("members", "scaling"), ("capacity", "scaling"),
        ("pages", "scaling"),
        ("transport", "transports"), ("pipe", "transports"), ("netmq", "transports"), ("socket", "transports"),
        ("round-trip", "latency"), ("latency", "latency"), ("parked", "latency"),
        ("one-way", "throughput"), ("batch", "throughput"), ("memcpy", "throughput"),
    ];

    private static readonly string[] _ofScenarios =
        ["latency", "throughput", "scaling", "transports", "typed", "durability", "costs", Rest];

    public static void Write(Report report, IReadOnlyList<Figure> figures, string directory)
    {
        if (report.Results.Count == Scenario.All.Count)
        {
            WriteWhole();
        }

        foreach (string section in _ofScenarios)
        {
            ScenarioResult[] results = [.. report.Results.Where(r => Of(r.Scenario) == section)];
            Figure[] own = [.. figures.Where(figure => Of(figure.Scenarios[0]) == section)];
            if (results.Length > 0)
            {
                Write(section, writer => WriteScenarios(writer, results, own));
            }
        }

        // What a part of the scenarios says nothing of.
        void WriteWhole()
        {
            Write("machine", writer =>
            {
                MarkdownTable.Write(writer, ["what", "value"], report.Machine.Facts.Select(fact => new[] { fact.What, fact.Value }));
                writer.WriteLine();
                writer.WriteLine(report.Summary);
            });
            Write("targets", writer =>
            {
                MarkdownTable.Write(writer, Report.Columns, report.TargetRows.Select(row => row.Cells));
                writer.WriteLine();
                writer.WriteLine(report.TargetsMet + ".");
            });
            Write("model", writer => ModelSection.Write(writer, report));
        }

        void Write(string section, Action<TextWriter> write)
        {
            using StreamWriter writer = new(Path.Combine(directory, section + ".md")) { NewLine = "\n" };
            write(writer);
        }
    }

    private static IEnumerable<Row> AllOf(ScenarioResult result) =>
        result.Rows().Where(row => result.Scenario.Point is null || row.BaselineName is not null || row.Target is not null);

    private static string Of(Scenario scenario) =>
        _byWord.FirstOrDefault(pair => scenario.Name.Contains(pair.Word, StringComparison.OrdinalIgnoreCase)).Section ?? Rest;

    private static void WriteScenarios(TextWriter writer, ScenarioResult[] results, Figure[] figures)
    {
        foreach (Figure figure in figures)
        {
            writer.WriteLine($"![{figure.Title}](benchmarks/{figure.Name}.svg)");
            writer.WriteLine();
            if (figure is PointFigure points)
            {
                MarkdownTable.Write(writer, points.TableColumns, points.TableRows);
                writer.WriteLine();
            }
        }

        string[][] percentileRows = [.. Report.PercentileRows(results)];
        if (percentileRows.Length > 0)
        {
            MarkdownTable.Write(writer, Report.PercentileColumns, percentileRows);
            writer.WriteLine();
        }

        // A figure that is compared with nothing stands in the table of its plot.
        Row[] rows = [.. results.SelectMany(AllOf)];
        if (rows.Length == 0)
        {
            return;
        }

        bool areMany = rows.Length > MostRowsShown;
        if (areMany)
        {
            writer.WriteLine($"<details><summary>All {rows.Length} rows</summary>");
            writer.WriteLine();
        }

        MarkdownTable.Write(writer, Report.Columns, rows.Select(row => row.Cells));
        if (areMany)
        {
            writer.WriteLine();
            writer.WriteLine("</details>");
        }
    }
}
