// The parts of docs/benchmarks.md that a run writes, a file each; docs/update.sh puts them between the document's markers.

using ShmIpc.Benchmarks.Reports.Plots;
using ShmIpc.Benchmarks.Scenarios;

namespace ShmIpc.Benchmarks.Reports;

internal static class Sections
{
    private const int MostRowsShown = 25; // more are folded

    public static void Write(Report report, IReadOnlyList<Figure> figures, string directory)
    {
        if (report.Results.Count == Scenario.All.Count)
        {
            WriteWhole();
        }

        foreach (IGrouping<Section, ScenarioResult> section in report.Results.GroupBy(r => r.Scenario.Section))
        {
            Figure[] own = [.. figures.Where(figure => figure.Scenarios[0].Section == section.Key)];
            Write(section.Key.ToString().ToLowerInvariant(), writer => WriteScenarios(writer, [.. section], own));
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
