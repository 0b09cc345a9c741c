using ShmIpc.Benchmarks.Scenarios;
using Spectre.Console;

namespace ShmIpc.Benchmarks.Reports;

/// <summary>The tables on the terminal. The one with the targets comes last, and below it only how many of them were met.</summary>
internal static class ConsoleReport
{
    private const int WidthWithoutTerminal = 180;

    public static void Print(Report report)
    {
        if (!AnsiConsole.Profile.Out.IsTerminal)
        {
            AnsiConsole.Profile.Width = WidthWithoutTerminal;
        }

        AnsiConsole.WriteLine();
        if (report.PercentileRows().Any())
        {
            Print(Report.PercentileColumns, report.PercentileRows());
        }

        AnsiConsole.WriteLine(report.Summary);
        AnsiConsole.WriteLine(report.Machine.Text);
        IEnumerable<Row> rows = report.Plan.Quick && report.TargetRows.Any() ? report.TargetRows : report.TargetRows.Concat(report.OtherRows);
        Print(Report.Columns, rows.Select(row => row.Cells));
        AnsiConsole.WriteLine(report.TargetsMet);
    }

    private static void Print(string[] columns, IEnumerable<string[]> rows)
    {
        Table table = new Table().Border(TableBorder.Rounded).AddColumns(columns);
        foreach (string[] row in rows)
        {
            table.AddRow([.. row.Select(cell => new Text(cell, StyleOf(cell)))]);
        }

        AnsiConsole.Write(table);
    }

    private static Style StyleOf(string cell) => cell switch
    {
        "yes" => new Style(Color.Green),
        "NO" => new Style(Color.Red, decoration: Decoration.Bold),
        _ => Style.Plain,
    };
}
