// What a run of `words` or `compress` prints, for people or for scripts.
using System.Text.Json;
using ShmIpc.Examples.Terminal;

namespace ShmIpc.Examples.Pool;

internal sealed record PoolReport
{
    public required string File { get; init; }

    public required long Bytes { get; init; }

    public required string Mode { get; init; }

    /// <summary>Why the mode is not the one that was asked for.</summary>
    public string? FallbackReason { get; init; }

    public required int Workers { get; init; }

    public required double ReadyMilliseconds { get; init; }

    public required double PoolSeconds { get; init; }

    public required double SingleSeconds { get; init; }

    public required WorkerMemory Shared { get; init; }

    public required WorkerMemory NotShared { get; init; }

    /// <summary>Whether the pool has found the same as one process, or what was compressed is what was there.</summary>
    public required bool IsSame { get; init; }

    public TextCounts? Counts { get; init; }

    public long? CompressedBytes { get; init; }

    public double SpeedUp => SingleSeconds / PoolSeconds;

    /// <summary>Prints it, and says with which code the program ends.</summary>
    public int Print(bool asJson)
    {
        if (asJson)
        {
            Console.WriteLine(JsonSerializer.Serialize(this, PoolReportJson.Default.PoolReport));
            return IsSame ? ExitCode.Ok : ExitCode.Mismatch;
        }
        Console.WriteLine($"{File}: {ByteSize.Format(Bytes)}, {Workers} workers, {Mode}");
        if (FallbackReason is not null)
            Console.WriteLine($"  not the mode asked for: {FallbackReason}");
        if (Counts is { } counts)
        {
            Console.WriteLine($"  {counts.Lines} lines, {counts.Words} words; the longest line has {counts.LongestLineBytes} bytes, "
                + $"the longest word {counts.LongestWordBytes}");
        }
        if (CompressedBytes is { } compressed)
        {
            Console.WriteLine(FormattableString.Invariant(
                $"  compressed to {ByteSize.Format(compressed)}, {100.0 * compressed / Bytes:0.0} %"));
        }
        Console.WriteLine(FormattableString.Invariant(
            $"  start-up: {ReadyMilliseconds:0} ms to ready, {ReadyMilliseconds / Workers:0} ms a worker"));
        Console.WriteLine(FormattableString.Invariant(
            $"  speed-up: {SpeedUp:0.00} ({SingleSeconds:0.000} s in one process, {PoolSeconds:0.000} s in the pool)"));
        Console.WriteLine($"  memory of a worker, the file shared: {Shared}");
        Console.WriteLine($"  memory of a worker, not shared:      {NotShared}");
        Console.WriteLine(IsSame ? "  checked: the same as in one process" : "  MISMATCH: not the same as in one process");
        return IsSame ? ExitCode.Ok : ExitCode.Mismatch;
    }
}
