namespace ShmIpc.Benchmarks.Reports;

/// <summary>The tables as Markdown, for the documentation.</summary>
internal static class MarkdownReport
{
    public static void Write(Report report, string path)
    {
        using StreamWriter writer = new(path);
        writer.WriteLine(report.MachineText + ".");
        writer.WriteLine();
        writer.WriteLine(report.Summary);
        WriteTable(writer, Report.Columns, report.Rows());
        if (report.PercentileRows().Any())
        {
            WriteTable(writer, Report.PercentileColumns, report.PercentileRows());
        }
    }

    private static void WriteTable(StreamWriter writer, string[] columns, IEnumerable<string[]> rows)
    {
        writer.WriteLine();
        WriteRow(writer, columns);
        WriteRow(writer, columns.Select(_ => "---"));
        foreach (string[] row in rows)
        {
            WriteRow(writer, row);
        }
    }

    private static void WriteRow(StreamWriter writer, IEnumerable<string> cells) => writer.WriteLine($"| {string.Join(" | ", cells)} |");
}
