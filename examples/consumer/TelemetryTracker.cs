// Follows the samples as they come: figures from one to the next, latency, and whether any were missed.
using ShmIpc.Examples.Messages;

namespace ShmIpc.Examples.Consumer;

/// <summary>Follows one machine's samples; not thread-safe.</summary>
/// <param name="isShared">Other consumers get some of the samples: what did not arrive here is not lost.</param>
internal sealed class TelemetryTracker(bool isShared = false)
{
    private readonly LatencyRecorder _latency = new();
    private TelemetrySample? _previous;
    private long _missing;

    /// <summary>Samples that arrived.</summary>
    public long Samples { get; private set; }

    /// <summary>Samples that the producer took and that arrived nowhere, as their sequence tells.</summary>
    public long Lost => isShared ? 0 : _missing;

    /// <summary>What did not arrive here, in words.</summary>
    public string Missing => $"{_missing:N0} {(isShared ? "for other consumers of the group" : "lost")}";

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
            _missing += Math.Max(0, sample.Sequence - _previous.Sequence - 1);

        TelemetryFigures figures = new FigureCalculator(_previous, sample).Calculate();
        _previous = sample;
        return figures;
    }
}
