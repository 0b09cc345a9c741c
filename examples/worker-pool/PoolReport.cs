// What a run of `words` or `compress` prints, for people or for scripts.
using System.Text.Json;
using ShmIpc.Examples.Terminal;
using ShmIpc.Workers;

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

    /// <summary>How long pools of as many workers take to start, by mode; null where there can be none. Empty when not measured.</summary>
    public IReadOnlyDictionary<string, double?> StartUpMilliseconds { get; init; } = new Dictionary<string, double?>();

    public required WorkerMemory Shared { get; init; }

    /// <summary>Null when the machine has too little memory left to try it.</summary>
    public required WorkerMemory? NotShared { get; init; }

    /// <summary>The file's pages in all workers when they have only read.</summary>
    public FilePages? Read { get; init; }

    /// <summary>And when they have written to their parts.</summary>
    public FilePages? Written { get; init; }

    /// <summary>Whether the pool has found the same as one process, or what was compressed is what was there.</summary>
    public required bool IsSame { get; init; }

    public TextCounts? Counts { get; init; }

    public long? CompressedBytes { get; init; }

    public double SpeedUp => SingleSeconds / PoolSeconds;

    /// <summary>What every command says of its run: how long the pool took to be ready, then the pool and one process for the work.</summary>
    public static PoolReport Of(
        WorkerPool pool,
        string file,
        long bytes,
        double readyMilliseconds,
        double poolSeconds,
        double singleSeconds,
        WorkerMemory shared,
        WorkerMemory? notShared,
        bool isSame) => new()
        {
            File = file,
            Bytes = bytes,
            Mode = PoolSettings.NameOf(pool.StartMode),
            FallbackReason = pool.FallbackReason,
            Workers = pool.Workers.Count,
            ReadyMilliseconds = readyMilliseconds,
            PoolSeconds = poolSeconds,
            SingleSeconds = singleSeconds,
            Shared = shared,
            NotShared = notShared,
            IsSame = isSame,
        };

    /// <summary>The report with what a start takes in each mode, measured now, when the pool has ended.</summary>
    public PoolReport WithStartUps() => this with { StartUpMilliseconds = PoolSettings.Modes.ToDictionary(mode => mode, TryStart) };

    /// <summary>Prints it, and says with which code the program ends.</summary>
    public int Print(bool asJson)
    {
        if (asJson)
            Console.WriteLine(JsonSerializer.Serialize(this, PoolReportJson.Default.PoolReport));
        else
            Print();
        return IsSame ? ExitCode.Ok : ExitCode.Mismatch;
    }

    private void Print()
    {
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
        if (StartUpMilliseconds.Count > 0)
        {
            Console.WriteLine("  start-up by mode: " + string.Join(", ", StartUpMilliseconds.Select(start =>
                start.Value is { } time ? FormattableString.Invariant($"{start.Key} {time:0} ms") : $"{start.Key} not here")));
        }
        Console.WriteLine(FormattableString.Invariant(
            $"  speed-up: {SpeedUp:0.00} ({SingleSeconds:0.000} s in one process, {PoolSeconds:0.000} s in the pool)"));
        Console.WriteLine($"  memory of a worker, the file shared: {Shared}");
        string notShared = NotShared?.ToString() ?? "not tried, there is too little left for the copies";
        Console.WriteLine($"  memory of a worker, not shared:      {notShared}");
        if (Read is not null && Written is not null)
        {
            Console.WriteLine($"  the file's pages in the workers, when they have read:    {Read}");
            Console.WriteLine($"  the file's pages in the workers, when they have written: {Written}");
        }
        Console.WriteLine(IsSame ? "  checked: the same as in one process" : "  MISMATCH: not the same as in one process");
    }

    private double? TryStart(string mode)
    {
        try
        {
            return StartUp.Measure(mode, Workers).ReadyMilliseconds;
        }
        catch (ExampleException e)
        {
            ExampleException.Report(e);
            return null;
        }
    }
}
