// The consumer's side of a replay, as printed and as written for scripts.
using System.Globalization;
using ShmIpc.Examples.Terminal;

namespace ShmIpc.Examples.Consumer;

/// <summary>What arrived, compared with what was sent.</summary>
internal sealed record ReplayReceived
{
    public required bool Complete { get; init; }
    public required long Lines { get; init; }
    public required long? LinesSent { get; init; }
    public required long TextBytes { get; init; }
    public required double Seconds { get; init; }
    public required long Lost { get; init; }
    public required long OutOfOrder { get; init; }
    public required string Hash { get; init; }
    public required string? HashSent { get; init; }
    public required long ForeignMessages { get; init; }
    public required Latency LatencyMicroseconds { get; init; }

    public double LinesPerSecond => Seconds > 0 ? Lines / Seconds : 0;

    public double BytesPerSecond => Seconds > 0 ? TextBytes / Seconds : 0;

    public static ReplayReceived From(ReplayChecker checker, LatencyRecorder latency, TimeSpan time) => new()
    {
        Complete = checker.IsComplete,
        Lines = checker.Lines,
        LinesSent = checker.End?.Lines,
        TextBytes = checker.TextBytes,
        Seconds = time.TotalSeconds,
        Lost = checker.Lost,
        OutOfOrder = checker.OutOfOrder,
        Hash = Hex(checker.Hash),
        HashSent = checker.End is { } end ? Hex(end.Hash) : null,
        ForeignMessages = checker.Foreign,
        LatencyMicroseconds = latency.Summarize(),
    };

    public int ExitCode => Complete ? Terminal.ExitCode.Ok : Terminal.ExitCode.Mismatch;

    private static string Hex(uint hash) => hash.ToString("X8", CultureInfo.InvariantCulture);
}
