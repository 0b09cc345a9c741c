// What stands around a plot, by its name. A plot that is not known here is described by its name alone.

namespace ShmIpc.Benchmarks.Reports.Plots;

/// <param name="Name">Its file name, without an ending.</param>
/// <param name="Title">What it shows.</param>
/// <param name="Across">What the horizontal axis counts.</param>
/// <param name="Up">What the vertical axis counts; null: as the metric says.</param>
/// <param name="InBytes">The horizontal axis counts bytes.</param>
internal sealed record PlotWords(string Name, string Title, string Across, string? Up, bool InBytes)
{
    private static readonly PlotWords[] _known =
    [
        new("throughput-by-size", "Throughput by message size: one producer, one reader", "payload of a message", null, true),
        new("scaling-by-lanes", "Throughput by lanes: the producers share one core", "lanes, each with a producer", null, false),
        new("scaling-by-groups", "Throughput by groups, which share one core", "groups", null, false),
        new("scaling-by-members", "Throughput of a shared group by members, which share one core", "members of the group", null, false),
        new("publishing-cost-by-groups", "What a message costs its publisher, by groups", "groups", "processor time a message", false),
        new("throughput-by-capacity", "Throughput by the capacity of the lane", "capacity of the lane", null, true),
    ];

    public string Label(double value) => InBytes ? TickText.Bytes(value) : TickText.Number(value);

    public static PlotWords Of(string name)
    {
        if (_known.FirstOrDefault(words => words.Name == name) is { } known)
        {
            return known;
        }

        string title = name.Replace('-', ' ');
        int by = title.LastIndexOf(" by ", StringComparison.Ordinal);
        string across = by < 0 ? title : title[(by + 4)..];
        bool inBytes = across.Contains("size", StringComparison.Ordinal) || across.Contains("capacity", StringComparison.Ordinal)
            || across.Contains("bytes", StringComparison.Ordinal);
        return new PlotWords(name, char.ToUpperInvariant(title[0]) + title[1..], across, null, inBytes);
    }
}
