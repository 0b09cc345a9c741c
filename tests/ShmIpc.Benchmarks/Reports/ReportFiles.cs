// Everything that a run leaves in its output directory: results.json and results.md, plots/, and for docs/benchmarks.md sections/.
// What an earlier run left there is removed first, so that nothing of two runs is mixed.

using ShmIpc.Benchmarks.Reports.Plots;

namespace ShmIpc.Benchmarks.Reports;

internal static class ReportFiles
{
    /// <returns>What was written, in words.</returns>
    public static string Write(Report report, string directory, bool withSections)
    {
        string plots = Empty(Path.Combine(directory, "plots"));
        string sections = Empty(Path.Combine(directory, "sections"));
        JsonReport.Write(report, Path.Combine(directory, "results.json"));
        IReadOnlyList<Figure> figures = Figures.Of(report);
        string text = "results.json, results.md";
        if (Fonts.IsAny)
        {
            foreach (Figure figure in figures)
            {
                figure.Save(plots);
            }

            text += $", {figures.Count} plots";
        }
        else
        {
            text += ", no plots (no font is installed: apt-get install fonts-dejavu-core)";
            figures = [];
        }

        MarkdownReport.Write(report, Path.Combine(directory, "results.md"));
        if (withSections)
        {
            Sections.Write(report, figures, sections);
            text += ", sections of docs/benchmarks.md";
        }

        return $"Written to {directory}: {text}.";
    }

    private static string Empty(string directory)
    {
        if (Directory.Exists(directory))
        {
            Directory.Delete(directory, recursive: true);
        }

        Directory.CreateDirectory(directory);
        return directory;
    }
}
