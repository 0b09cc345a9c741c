namespace ShmIpc.Benchmarks.Reports;

/// <summary>A table as Markdown writes it.</summary>
internal static class MarkdownTable
{
    public static void Write(TextWriter writer, IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        WriteRow(writer, columns);
        writer.WriteLine($"|{string.Concat(columns.Select(_ => "---|"))}");
        foreach (IReadOnlyList<string> row in rows)
        {
            WriteRow(writer, row);
        }
    }

    private static void WriteRow(TextWriter writer, IReadOnlyList<string> cells) => writer.WriteLine($"| {string.Join(" | ", cells)} |");
}
