// Shows the samples as they come, until somebody or something says that it is enough.
using Microsoft.Extensions.Hosting;
using ShmIpc.Examples.Terminal;

namespace ShmIpc.Examples.Consumer;

internal sealed class TelemetryScreen(
    TelemetrySettings settings, TelemetryInbox inbox, ITelemetryView view, IHostApplicationLifetime lifetime, Outcome outcome)
    : ExampleService(lifetime, outcome)
{
    private readonly TelemetryTracker _tracker = new(settings.Group.IsShared);

    protected override async Task<int> RunAsync(CancellationToken stopping)
    {
        bool timedOut = false;
        await view.RunAsync(async show => timedOut = !await FollowAsync(show, stopping));

        Console.WriteLine($"{_tracker.Samples:N0} samples, {_tracker.Missing}, {_tracker.Restarts:N0} producer restarts.");
        Console.WriteLine($"Latency {_tracker.Latency} ({LatencyRecorder.Meaning}).");
        JsonFile.Write(settings.JsonPath, new TelemetryReceived(_tracker.Samples, _tracker.Lost, _tracker.Restarts, _tracker.Latency));
        if (timedOut)
        {
            throw new ExampleException(ExitCode.NoPeer, $"nothing arrived on channel '{settings.Channel.Name}' for "
                + $"{settings.Timeout?.TotalSeconds:0.###} s.");
        }
        bool waitedInVain = _tracker.Samples == 0 && !stopping.IsCancellationRequested;
        return waitedInVain
            ? throw new ExampleException(ExitCode.NoPeer, $"nothing arrived on channel '{settings.Channel.Name}'. "
                + "Start `producer` with the same --channel and --root.")
            : ExitCode.Ok;
    }

    /// <summary>Shows samples until there were enough, the time is up, or the program is stopped; false when the next one did not come
    /// in time.</summary>
    private async Task<bool> FollowAsync(Action<TelemetryFigures, TelemetryTracker> show, CancellationToken stopping)
    {
        using var timeUp = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        if (settings.Duration is TimeSpan duration)
            timeUp.CancelAfter(duration);
        try
        {
            while (_tracker.Samples < (settings.Count ?? long.MaxValue))
            {
                ReceivedSample next = await inbox.Samples.ReadAsync(timeUp.Token).AsTask()
                    .WaitAsync(settings.Timeout ?? Timeout.InfiniteTimeSpan, CancellationToken.None);
                show(_tracker.Add(next.Sample, next.Timestamp, next.IsLive), _tracker);
            }
        }
        catch (OperationCanceledException) when (timeUp.IsCancellationRequested)
        {
        }
        catch (TimeoutException)
        {
            return false;
        }
        return true;
    }
}
