// The bodies that the pools of these tests run, in their workers. They stay as simple as what is tested allows.

using System.Globalization;
using System.Runtime.InteropServices;
using ShmIpc.Memory;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.Workers;

namespace ShmIpc.ProcessTests.Workers;

internal static class PoolBodies
{
    private static readonly string? _nothing = Environment.GetEnvironmentVariable("SHMIPC_TEST_NOTHING");
    private static int _runs;

    public static PoolMessage Double(PoolMessage job, WorkerContext context) =>
        new() { Number = 2 * job.Number, Text = $"{job.Text}{job.Text}" };

    public static byte[] Reverse(byte[] job, WorkerContext context) => [.. Enumerable.Reverse(job)];

    public static string Upper(string job, WorkerContext context) => job.ToUpperInvariant();

    public static Pair Swap(Pair job, WorkerContext context) => new() { First = job.Second, Second = job.First };

    public static async Task<int> SquareLater(int job, WorkerContext context)
    {
        await Task.Delay(job % 5, context.CancellationToken);
        return job * job;
    }

    /// <summary>Squares, in up to three milliseconds, and says in which process and how often it was handed out.</summary>
    public static long[] Square(int job, WorkerContext context)
    {
        Thread.Sleep(job % 4);
        return [(long)job * job, Environment.ProcessId, context.DeliveryCount];
    }

    /// <summary>Squares after as many milliseconds as the number's last digit.</summary>
    public static int SlowSquare(int job, WorkerContext context)
    {
        Thread.Sleep(job % 10);
        return job * job;
    }

    public static int Throw(int job, WorkerContext context) =>
        job < 0 ? throw new InvalidDataException($"The number {job} is negative.") : job;

    public static int Length(byte[] job, WorkerContext context) => job.Length;

    public static byte[] Bytes(int job, WorkerContext context) => new byte[job];

    /// <summary>What the word says: "die" and a signal, "fail", "fault", "native", "abort", "overflow", "exit", "null", "wait" until cancelled, "sleep" for ever, "nap" and milliseconds,
    /// "runs" of this process, "who" runs it.</summary>
    public static string Do(string job, WorkerContext context)
    {
        string[] words = job.Split(' ');
        switch (words[0])
        {
            case "die":
                Linux.Signal(Environment.ProcessId, int.Parse(words[1], CultureInfo.InvariantCulture));
                Thread.Sleep(ChildProcess.Patience);
                return "still alive";
            case "fail":
                Environment.FailFast("a body's FailFast");
                return "still alive";
            case "fault":
                Marshal.WriteByte(new nint(0x7000_0000_0000), 1);
                return "still alive";
            case "last": // its last words
                File.AppendAllText(words[1], "x");
                Linux.Signal(Environment.ProcessId, Linux.SIGKILL);
                Thread.Sleep(ChildProcess.Patience);
                return "still alive";
            case "null":
                return $"{_nothing!.Length}";
            case "native":
                Linux.Fault();
                return "still alive";
            case "abort":
                Linux.Abort();
                return "still alive";
            case "overflow":
                return $"{Overflow(1)}";
            case "exit":
                Environment.Exit(int.Parse(words[1], CultureInfo.InvariantCulture));
                return "still alive";
            case "wait":
                Interlocked.Increment(ref _runs);
                File.WriteAllText(words[1], "");
                context.CancellationToken.WaitHandle.WaitOne(ChildProcess.Patience);
                context.CancellationToken.ThrowIfCancellationRequested();
                return "not cancelled";
            case "sleep":
                File.WriteAllText(words[1], "");
                Thread.Sleep(Timeout.Infinite);
                return "awake";
            case "stop":
                return context.StoppingToken.WaitHandle.WaitOne(ChildProcess.Patience) ? "told" : "not told";
            case "nap":
                Thread.Sleep(int.Parse(words[1], CultureInfo.InvariantCulture));
                return "rested";
            case "count":
                return Interlocked.Increment(ref _runs).ToString(CultureInfo.InvariantCulture);
            case "runs":
                return _runs.ToString(CultureInfo.InvariantCulture);
            case "say":
                Console.Out.WriteLine($"out {words[1]}");
                Console.Error.WriteLine($"err {words[1]}");
                return "said";
            case "fill":
                return Fill(int.Parse(words[1], CultureInfo.InvariantCulture));
            case "regions": // the sum of the numbers in them
                return $"{words[1..].Sum(name => SharedRegion.Open(name).Mapping.Read<int>(0))}";
            case "argument":
                return context.Arguments[words[1]];
            default:
                return Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Doubles one byte of the shared memory, and says what it was.</summary>
    public static int DoubleByte(int job, WorkerContext context)
    {
        MemoryMapping memory = SharedRegion.Open("bytes").Mapping;
        byte before = memory.Read<byte>(job);
        memory.Write(job, (byte)(2 * before));
        return before;
    }

    /// <summary>A plain body: runs until it is told to stop.</summary>
    public static void UntilStopped(WorkerContext context)
    {
        Console.WriteLine("running");
        context.CancellationToken.WaitHandle.WaitOne();
        Console.WriteLine("stopped");
    }

    public static async Task UntilStoppedAsync(WorkerContext context) => await Task.Delay(Timeout.Infinite, context.CancellationToken);

    public static void Return(WorkerContext context)
    {
    }

    public static void ThrowAtOnce(WorkerContext context) => throw new InvalidOperationException("nothing works today");

    public static void Deaf(WorkerContext context) => Thread.Sleep(Timeout.Infinite);

    private static int Overflow(int depth) => depth < 0 ? depth : Overflow(depth + 1) + Overflow(depth + 2);

    private static string Fill(int mebibytes)
    {
        List<byte[]> kept = [];
        try
        {
            for (int i = 0; i < mebibytes; i++)
            {
                kept.Add(new byte[1024 * 1024]);
            }

            return $"{kept.Count} MiB";
        }
        catch (OutOfMemoryException)
        {
            kept.Clear();
            return "out of memory";
        }
    }
}
