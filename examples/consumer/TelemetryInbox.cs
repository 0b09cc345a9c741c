// The end of the shared-memory channel: the hosted consumer hands each sample in here, and the screen takes it out. Between the two is an
// ordinary channel, so that drawing never delays the next sample's time stamp.
using System.Diagnostics;
using System.Threading.Channels;
using ShmIpc.Examples.Messages;
using ShmIpc.Hosting;

namespace ShmIpc.Examples.Consumer;

internal sealed class TelemetryInbox : IShmMessageHandler<TelemetrySample>
{
    private readonly Channel<ReceivedSample> _samples = Channel.CreateUnbounded<ReceivedSample>();
    private readonly long _attachedTimestamp = Stopwatch.GetTimestamp();

    /// <summary>The samples as they came.</summary>
    public ChannelReader<ReceivedSample> Samples => _samples.Reader;

    public ValueTask HandleAsync(TelemetrySample message, CancellationToken cancellationToken)
    {
        // A sample that lay in the channel before this program came has an age, but no latency.
        bool isLive = message.SentTimestamp >= _attachedTimestamp;
        return _samples.Writer.WriteAsync(new ReceivedSample(message, Stopwatch.GetTimestamp(), isLive), cancellationToken);
    }
}
