// How long it takes to become a participant of a channel that another process has: open it and create a consumer, or a producer; and to
// create a channel. Medians; what is closed and deleted in between is not timed, nor are the first times, which compile the code.

using System.Diagnostics;
using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Scenarios;
using ShmIpc.Channels;

namespace ShmIpc.Benchmarks.Topology;

internal sealed class AttachTimer(PartSettings settings) : IPart
{
    public const string ConsumerNs = "attachConsumerNs";
    public const string ProducerNs = "attachProducerNs";
    public const string CreateNs = "createNs";

    private const string OwnName = "created";
    private const int Fewest = 20;

    private readonly List<double> _consumers = [];
    private readonly List<double> _producers = [];
    private readonly List<double> _creations = [];
    private readonly ShmChannelOptions _options = settings.ChannelOptions();

    public Sample Run(Lifeline lifeline)
    {
        Rendezvous.WaitUntil(IsThere, "channel of the host");
        RunFor(settings.WarmUp);
        _consumers.Clear();
        _producers.Clear();
        _creations.Clear();
        RunFor(settings.Measure);
        return new Sample
        {
            Operations = _consumers.Count,
            Figures = new Dictionary<string, double>
            {
                [ConsumerNs] = Spread.Of(_consumers).Median,
                [ProducerNs] = Spread.Of(_producers).Median,
                [CreateNs] = Spread.Of(_creations).Median,
            },
            Preemptions = Measurement.Preemptions(),
        };
    }

    private void RunFor(TimeSpan duration)
    {
        long end = Stopwatch.GetTimestamp() + Measurement.ToTicks(duration);
        while (Stopwatch.GetTimestamp() < end || _creations.Count < Fewest)
        {
            long start = Stopwatch.GetTimestamp();
            using (ShmByteChannel channel = ShmByteChannel.Open(Meeting.ChannelName, _options))
            using (channel.CreateConsumer())
            {
                _consumers.Add(Stopwatch.GetElapsedTime(start).TotalNanoseconds);
            }

            start = Stopwatch.GetTimestamp();
            using (ShmByteChannel channel = ShmByteChannel.Open(Meeting.ChannelName, _options))
            using (channel.CreateProducer())
            {
                _producers.Add(Stopwatch.GetElapsedTime(start).TotalNanoseconds);
            }

            start = Stopwatch.GetTimestamp();
            using (ShmByteChannel.Create(OwnName, _options))
            {
                _creations.Add(Stopwatch.GetElapsedTime(start).TotalNanoseconds);
            }

            _ = ShmChannel.Delete(OwnName, settings.Directory);
        }
    }

    private bool IsThere()
    {
        try
        {
            using ShmByteChannel channel = ShmByteChannel.Open(Meeting.ChannelName, _options);
            return channel.ProducerCount > 0;
        }
        catch (ShmRegionNotFoundException)
        {
            return false;
        }
    }
}
