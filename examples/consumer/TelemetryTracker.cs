// Follows the samples as they come: figures from one to the next, latency, and whether any were missed.
using ShmIpc.Examples.Messages;

namespace ShmIpc.Examples.Consumer;

/// <summary>Follows one machine's samples; not thread-safe.</summary>
internal sealed class TelemetryTracker
{
    private readonly LatencyRecorder _latency = new();
    private TelemetrySample? _previous;

    /// <summary>Samples that arrived.</summary>
    public long Samples { get; private set; }

    /// <summary>Samples that the producer took and that did not arrive, as their sequence tells.</summary>
    public long Lost { get; private set; }

    /// <summary>How many times another run of the producer took over.</summary>
    public long Restarts { get; private set; }

    /// <summary>The latencies so far.</summary>
    public Latency Latency => _latency.Summarize();

    /// <summary>Takes the next sample, which was decoded at <paramref name="nowTimestamp"/>.</summary>
    /// <param name="sample">The sample.</param>
    /// <param name="nowTimestamp">The time now.</param>
    /// <param name="isLive">False for a sample that lay in the channel before this consumer attached: its age is no latency.</param>
    public TelemetryFigures Add(TelemetrySample sample, long nowTimestamp, bool isLive)
    {
        Samples++;
        if (isLive)
            _latency.Add(sample.SentTimestamp, nowTimestamp);
        if (_previous is not null && _previous.Run != sample.Run)
            Restarts++;
        else if (_previous is not null)
            Lost += Math.Max(0, sample.Sequence - _previous.Sequence - 1);

        TelemetryFigures figures = new FigureCalculator(_previous, sample).Calculate();
        _previous = sample;
        return figures;
    }
}
