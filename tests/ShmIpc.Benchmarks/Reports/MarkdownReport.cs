namespace ShmIpc.Benchmarks.Reports;

/// <summary>The whole outcome of a run as one page of Markdown.</summary>
internal static class MarkdownReport
{
    public static void Write(Report report, string path)
    {
        using StreamWriter writer = new(path);
        writer.WriteLine(report.Machine.Text + ".");
        writer.WriteLine();
        writer.WriteLine(report.Summary);
        writer.WriteLine();
        MarkdownTable.Write(writer, Report.Columns, report.TargetRows.Concat(report.OtherRows).Select(row => row.Cells));
        writer.WriteLine();
        writer.WriteLine(report.TargetsMet + ".");
        if (report.PercentileRows().Any())
        {
            writer.WriteLine();
            MarkdownTable.Write(writer, Report.PercentileColumns, report.PercentileRows());
        }
    }
}
