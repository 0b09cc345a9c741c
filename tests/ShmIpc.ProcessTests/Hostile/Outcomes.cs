// What operations on a region came to in whose memory somebody scribbles: every one ends in time, with a result or with an exception that
// is documented. Anything else ends the campaign, naming the operation.

using System.Diagnostics;
using System.Globalization;
using System.Threading.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Hostile;

internal sealed class Outcomes
{
    public const string Done = "done";

    /// <summary>What an operation may take that asked for less than a second. The longest wait of the library's own is that for a group in
    /// the making, 5 seconds.</summary>
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(60);

    private static readonly Type[] _documented =
    [
        typeof(ShmCorruptionException), typeof(ShmEvictedException), typeof(ShmRegionDeletedException), typeof(ShmLimitException),
        typeof(ShmRegionFormatException), typeof(ShmRegionNotFoundException), typeof(ShmGroupException), typeof(ShmPayloadException),
        typeof(ShmMessageTooLargeException), typeof(ShmBatchTooLargeException), typeof(ShmRemoteException),
        typeof(TimeoutException), typeof(ChannelClosedException), typeof(OperationCanceledException),
    ];

    private readonly Dictionary<string, long> _counts = [];
    private string _operation = "nothing";
    private long _start = Stopwatch.GetTimestamp();

    public Outcomes()
    {
        Thread watchdog = new(WatchOver) { IsBackground = true, Name = "watchdog" };
        watchdog.Start();
    }

    /// <summary>What is being tried, in words that repeat it.</summary>
    public string Case { get; set; } = "";

    public static bool IsDocumented(Exception error) => _documented.Contains(error.GetType())
        || (error is InvalidOperationException && error.Message.Contains("MaxInFlight", StringComparison.Ordinal));

    /// <summary>True when the operation ended without an exception.</summary>
    public bool Try(string operation, Action action)
    {
        Volatile.Write(ref _operation, operation);
        long start = Stopwatch.GetTimestamp();
        Volatile.Write(ref _start, start);
        string outcome = Done;
        try
        {
            action();
        }
        catch (Exception error) when (IsDocumented(error))
        {
            outcome = error.GetType().Name;
        }
        catch (Exception error)
        {
            throw new InvalidOperationException($"{Case}, {operation}: undocumented {error.GetType()}", error);
        }

        if (Stopwatch.GetElapsedTime(start) is var elapsed && elapsed > _bound)
        {
            throw new InvalidOperationException($"{Case}, {operation}: took {elapsed}");
        }

        _counts[outcome] = _counts.GetValueOrDefault(outcome) + 1;
        return outcome == Done;
    }

    /// <summary>As a line for the test: name=count, the most frequent first.</summary>
    public override string ToString() => string.Join(' ', _counts.OrderByDescending(pair => pair.Value).Select(pair =>
        string.Create(CultureInfo.InvariantCulture, $"{pair.Key}={pair.Value}")));

    private void WatchOver()
    {
        while (true)
        {
            Thread.Sleep(500);
            if (Stopwatch.GetElapsedTime(Volatile.Read(ref _start)) > 2 * _bound)
            {
                Console.Error.WriteLine($"{Case}, {Volatile.Read(ref _operation)}: does not end");
                Linux.DisableCoreDump();
                Environment.FailFast("An operation does not end.");
            }
        }
    }
}
