// Reads a replay and checks it, in a tight loop on a thread of its own. ReadAllAsync would do as well, at about a tenth less speed here;
// a program that reads beside other work should prefer it.
using System.Diagnostics;
using Microsoft.Extensions.Hosting;
using ShmIpc.Channels;
using ShmIpc.Examples.Messages;
using ShmIpc.Examples.Terminal;
using Spectre.Console;

namespace ShmIpc.Examples.Consumer;

internal sealed class ReplayReader(ReplaySettings settings, IHostApplicationLifetime lifetime, Outcome outcome)
    : ExampleService(lifetime, outcome)
{
    private static readonly TimeSpan _looksForProducer = TimeSpan.FromMilliseconds(200);

    private readonly LatencyRecorder _latency = new();

    protected override Task<int> RunAsync(CancellationToken stopping) => OnOwnThread(() => Read(stopping));

    private int Read(CancellationToken stopping)
    {
        // Before joining: a producer may start in the very moment this consumer is there.
        long attached = Stopwatch.GetTimestamp();
        using ShmChannel<ReplayLine> channel = ShmChannel.CreateOrOpen<ReplayLine>(
            settings.Channel.Name, settings.Channel.ToOptions(isSingleThreaded: true));
        using Consumer<ReplayLine> consumer = channel.CreateConsumer();
        Console.WriteLine($"Waiting for a replay on channel '{channel.Name}' ...");

        var checker = new ReplayChecker(attached);
        long first = 0;
        long last = 0;
        int unfinished = ExitCode.NoPeer;
        try
        {
            while (checker.End is null && TryRead(channel, consumer, checker, stopping, out ReplayLine line))
            {
                long now = Stopwatch.GetTimestamp();
                if (!checker.Add(line))
                    continue;
                _latency.Add(line.SentTimestamp, now);
                first = first == 0 ? line.SentTimestamp : first;
                last = now;
            }
        }
        catch (OperationCanceledException)
        {
            unfinished = ExitCode.Interrupted;
        }

        if (!checker.HasBegun)
            return unfinished;
        var received = ReplayReceived.From(checker, _latency, Stopwatch.GetElapsedTime(first, last));
        ReplayTable.Print(AnsiConsole.Console, received);
        JsonFile.Write(settings.JsonPath, received);
        return checker.End is null ? unfinished : received.ExitCode;
    }

    // False, with the reason on standard error, when no further message is to be expected.
    private bool TryRead(
        ShmChannel<ReplayLine> channel,
        Consumer<ReplayLine> consumer,
        ReplayChecker checker,
        CancellationToken stopping,
        out ReplayLine line)
    {
        stopping.ThrowIfCancellationRequested();
        if (consumer.TryRead(out line))
            return true;

        long since = Stopwatch.GetTimestamp();
        while (true)
        {
            if (consumer.WaitToRead(_looksForProducer, stopping) && consumer.TryRead(out line))
                return true;
            stopping.ThrowIfCancellationRequested();
            // A producer may write its last line and leave between two looks: hence the second look, after it is known to be gone.
            bool gone = consumer.Completion.IsCompleted || (checker.HasBegun && channel.ProducerCount == 0);
            if (gone && !consumer.TryRead(out line))
                return GiveUp("the producer went away before the end of the replay.");
            if (gone)
                return true;
            if (Stopwatch.GetElapsedTime(since) >= settings.Timeout)
                return GiveUp($"nothing arrived on channel '{channel.Name}' for {settings.Timeout.TotalSeconds:0.###} s. "
                    + "Start `producer --replay FILE` with the same --channel and --root, or wait longer with --timeout.");
        }
    }

    private static bool GiveUp(string reason)
    {
        Console.Error.WriteLine($"{AppDomain.CurrentDomain.FriendlyName}: {reason}");
        return false;
    }
}
