// A display that is redrawn in place, for people at a terminal.
using ShmIpc.Examples.Messages;
using ShmIpc.Examples.Terminal;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ShmIpc.Examples.Consumer;

internal sealed class DashboardView(IAnsiConsole console, string channel, int topProcesses) : ITelemetryView
{
    private const int BarWidth = 30;
    private const int MostCores = 16; // more would push the rest off the screen

    public Task RunAsync(Func<Action<TelemetryFigures, TelemetryTracker>, Task> follow) =>
        console.Live(new Text($"Waiting for samples on channel '{channel}' ... Ctrl-C ends."))
            .Overflow(VerticalOverflow.Crop)
            .StartAsync(display => follow((figures, tracker) => display.UpdateTarget(Draw(figures, tracker))));

    internal IRenderable Draw(TelemetryFigures figures, TelemetryTracker tracker) => new Rows(
        Heading(figures, tracker), Load(figures), Transfer(figures), Processes(figures));

    private Panel Heading(TelemetryFigures figures, TelemetryTracker tracker)
    {
        double rate = figures.Interval > TimeSpan.Zero ? 1 / figures.Interval.TotalSeconds : 0;
        return new Panel(new Rows(
            new Text($"{tracker.Samples:N0} samples, {rate:0.##}/s, {tracker.Missing}, {tracker.Restarts:N0} producer restarts"),
            new Text($"latency {tracker.Latency}"),
            new Text(LatencyRecorder.Meaning, new Style(foreground: Color.Grey))))
        {
            Header = new PanelHeader($" {Markup.Escape(channel)} "),
            Expand = true,
        };
    }

    private static Table Load(TelemetryFigures figures)
    {
        Table table = Columns("load", "%", "");
        table.Columns[2].LeftAligned();
        MemoryUse memory = figures.Sample.Memory;
        if (memory.TotalBytes > 0)
        {
            double used = 100.0 * (memory.TotalBytes - memory.AvailableBytes) / memory.TotalBytes;
            AddLoad(table, $"memory of {ByteSize.Format(memory.TotalBytes)}", used);
        }
        if (figures.CpuPercent is double all)
            AddLoad(table, "all cores", all);
        bool tooMany = figures.Cores.Length > MostCores;
        IEnumerable<CoreLoad> cores = tooMany ? figures.Cores.OrderByDescending(core => core.Percent).Take(MostCores) : figures.Cores;
        foreach (CoreLoad core in cores)
            AddLoad(table, $"core {core.Index}", core.Percent);
        if (tooMany)
            table.AddRow($"and {figures.Cores.Length - MostCores} less busy cores", "", "");
        return table;
    }

    private static void AddLoad(Table table, string name, double percent) => table.AddRow(new Text(name), Percent(percent), Bar(percent));

    private static Table Transfer(TelemetryFigures figures)
    {
        Table table = Columns("disk or network", "in", "out", "busy %");
        foreach (DiskRate disk in figures.Disks)
            table.AddRow(new Text(disk.Name), Rate(disk.ReadBytesPerSecond), Rate(disk.WrittenBytesPerSecond), Percent(disk.BusyPercent));
        foreach (NetworkRate network in figures.Networks)
            table.AddRow(new Text(network.Name), Rate(network.ReceivedBytesPerSecond), Rate(network.SentBytesPerSecond), Text.Empty);
        return table;
    }

    private Table Processes(TelemetryFigures figures)
    {
        Table table = Columns("process", "pid", "cpu %", "memory", "threads");
        foreach (ProcessLoad process in figures.Processes.Take(topProcesses))
        {
            ProcessCounters counters = process.Counters;
            table.AddRow(new Text(counters.Name), Right($"{counters.ProcessId}"), Percent(process.CpuPercent),
                Right(ByteSize.Format(counters.ResidentBytes)), Right($"{counters.Threads}"));
        }
        return table;
    }

    private static Table Columns(params string[] names)
    {
        Table table = new Table().Border(TableBorder.Rounded).BorderColor(Color.Grey).Expand();
        table.AddColumn(names[0]);
        foreach (string name in names[1..])
            table.AddColumn(new TableColumn(name).RightAligned());
        return table;
    }

    private static Text Bar(double percent)
    {
        int filled = (int)Math.Round(Math.Clamp(percent, 0, 100) / 100 * BarWidth);
        Color color = percent >= 90 ? Color.Red : percent >= 60 ? Color.Yellow : Color.Green;
        return new Text(new string('#', filled) + new string('.', BarWidth - filled), new Style(foreground: color));
    }

    private static Text Percent(double percent) => Right($"{percent:0.0}");

    private static Text Rate(double bytesPerSecond) => Right(ByteSize.Format(bytesPerSecond) + "/s");

    private static Text Right(string text) => new Text(text).RightJustified();
}
