// Publishes the counters of this machine, once an interval.
using System.Diagnostics;
using Microsoft.Extensions.Hosting;
using ShmIpc.Channels;
using ShmIpc.Examples.Messages;
using ShmIpc.Examples.Producer.Proc;
using ShmIpc.Examples.Terminal;

namespace ShmIpc.Examples.Producer;

internal sealed class TelemetryPublisher(
    TelemetrySettings settings, Producer<TelemetrySample> producer, IHostApplicationLifetime lifetime, Outcome outcome)
    : ExampleService(lifetime, outcome)
{
    protected override async Task<int> RunAsync(CancellationToken stopping)
    {
        Console.WriteLine($"Publishing to channel '{settings.Channel.Name}' every {settings.Interval.TotalSeconds:0.###} s. Ctrl-C ends.");
        var sampler = new MachineSampler(settings.ProcessLimit);
        long started = Stopwatch.GetTimestamp();
        long published = 0;
        long skipped = 0;
        using var timer = new PeriodicTimer(settings.Interval);
        try
        {
            do
            {
                TelemetrySample sample = sampler.Sample();
                // A consumer that stands still must not hold up the next sample: it is told by the gap in the sequence.
                if (producer.TryWrite(sample with { SentTimestamp = Stopwatch.GetTimestamp() }))
                    published++;
                else
                    skipped++;
            }
            while (published + skipped < (settings.Count ?? long.MaxValue)
                && !(Stopwatch.GetElapsedTime(started) + settings.Interval > settings.Duration)
                && await timer.WaitForNextTickAsync(stopping));
        }
        catch (OperationCanceledException)
        {
        }
        string noRoom = skipped > 0 ? $", skipped {skipped:N0} because a consumer did not read" : "";
        Console.WriteLine($"Published {published:N0} samples{noRoom}.");
        JsonFile.Write(settings.JsonPath, new TelemetrySent(published, skipped));
        return ExitCode.Ok;
    }
}
