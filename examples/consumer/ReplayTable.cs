// The result of a replay as a table.
using ShmIpc.Examples.Terminal;
using Spectre.Console;

namespace ShmIpc.Examples.Consumer;

internal static class ReplayTable
{
    public static void Print(IAnsiConsole console, ReplayReceived received)
    {
        Latency latency = received.LatencyMicroseconds;
        Table table = new Table().Border(TableBorder.Ascii2).HideHeaders().AddColumn("").AddColumn(new TableColumn("").RightAligned());
        table.AddRow("lines received", $"{received.Lines:N0}");
        table.AddRow("lines sent", received.LinesSent is long sent ? $"{sent:N0}" : "unknown: the end did not arrive");
        table.AddRow("rate", $"{received.LinesPerSecond:N0} lines/s");
        table.AddRow("text", $"{ByteSize.Format(received.TextBytes)} at {ByteSize.Format(received.BytesPerSecond)}/s");
        table.AddRow("latency p50", Latency.Format(latency.P50));
        table.AddRow("latency p99", Latency.Format(latency.P99));
        table.AddRow("latency p99.9", Latency.Format(latency.P999));
        table.AddRow("lost", $"{received.Lost:N0}");
        table.AddRow("out of order or twice", $"{received.OutOfOrder:N0}");
        table.AddRow("hash received", received.Hash);
        table.AddRow("hash sent", received.HashSent ?? "unknown");
        if (received.ForeignMessages > 0)
            table.AddRow("of other replays, ignored", $"{received.ForeignMessages:N0}");
        table.AddRow("every line once and in order", received.Complete ? "yes" : "NO");
        console.Write(table);
        // Not through Spectre, which breaks lines at 80 columns when there is no terminal.
        Console.WriteLine($"Latency is {LatencyRecorder.Meaning}. A producer at full speed keeps the channel full, so that is mostly");
        Console.WriteLine("the time a line waits its turn; `producer --rate N` and live telemetry show the latency without a queue.");
    }
}
