// What each further channel, producer and consumer costs its process in private memory: many of them, the growth divided by their number.
// Private is what the kernel says, heaps and page tables; where the heap had room left it says little, so what the objects take of the
// managed heap is there, too. And the size of the channel's own file, with one producer and one consumer and everything at its default.

using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Channels;

namespace ShmIpc.Benchmarks.Topology;

internal sealed class MemoryCounter(PartSettings settings) : IPart
{
    public const string ChannelBytes = "privateBytesPerChannel";
    public const string ProducerBytes = "privateBytesPerProducer";
    public const string ConsumerBytes = "privateBytesPerConsumer";
    public const string ChannelHeapBytes = "heapBytesPerChannel";
    public const string ProducerHeapBytes = "heapBytesPerProducer";
    public const string ConsumerHeapBytes = "heapBytesPerConsumer";
    public const string RegionBytes = "regionBytes";
    public const string RegionAllocatedBytes = "regionAllocatedBytes";

    private const int Channels = 40;
    private const int Producers = 30; // of each channel
    private const int Consumers = 60; // the same; so many that the heap's own coming and going does not matter

    public Sample Run(Lifeline lifeline)
    {
        (double length, double allocated) = MeasureRegion();
        ShmChannelOptions options = settings.ChannelOptions() with { MaxProducers = Producers };
        using (Participants warmUp = new(options))
        {
            warmUp.OpenChannels(1);
            warmUp.CreateProducers(1);
            warmUp.CreateConsumers(1);
        }

        using Participants participants = new(options);
        Footprint start = Footprint.Now();
        participants.OpenChannels(Channels);
        Footprint channels = Footprint.Now();
        participants.CreateProducers(Producers);
        Footprint producers = Footprint.Now();
        participants.CreateConsumers(Consumers);
        Footprint consumers = Footprint.Now();
        return new Sample
        {
            Figures = new Dictionary<string, double>
            {
                [ChannelBytes] = (channels.PrivateBytes - start.PrivateBytes) / (double)Channels,
                [ChannelHeapBytes] = (channels.HeapBytes - start.HeapBytes) / (double)Channels,
                [ProducerBytes] = (producers.PrivateBytes - channels.PrivateBytes) / (double)(Channels * Producers),
                [ProducerHeapBytes] = (producers.HeapBytes - channels.HeapBytes) / (double)(Channels * Producers),
                [ConsumerBytes] = (consumers.PrivateBytes - producers.PrivateBytes) / (double)(Channels * Consumers),
                [ConsumerHeapBytes] = (consumers.HeapBytes - producers.HeapBytes) / (double)(Channels * Consumers),
                [RegionBytes] = length,
                [RegionAllocatedBytes] = allocated,
            },
        };
    }

    private (double Length, double Allocated) MeasureRegion()
    {
        using ShmByteChannel channel = ShmByteChannel.Create("default", new ShmChannelOptions { Root = settings.Directory });
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer consumer = channel.CreateConsumer();
        string[] files = Directory.GetFiles(settings.Directory, "*", SearchOption.AllDirectories);
        return (files.Sum(file => new FileInfo(file).Length), files.Sum(ProcFiles.AllocatedBytes));
    }

    private readonly record struct Footprint(long PrivateBytes, long HeapBytes)
    {
        public static Footprint Now()
        {
            long heap = GC.GetTotalMemory(forceFullCollection: true);
            return new Footprint(ProcFiles.PrivateBytes(), heap);
        }
    }

    private sealed class Participants(ShmChannelOptions options) : IDisposable
    {
        private readonly List<ShmByteChannel> _channels = [];
        private readonly List<IDisposable> _ends = [];

        public void OpenChannels(int count)
        {
            for (int i = 0; i < count; i++)
            {
                _channels.Add(ShmByteChannel.CreateOrOpen($"{i}", options));
            }
        }

        public void CreateProducers(int each) => Create(each, channel => channel.CreateProducer());

        public void CreateConsumers(int each) => Create(each, channel => channel.CreateConsumer());

        public void Dispose()
        {
            _ends.ForEach(end => end.Dispose());
            _channels.ForEach(channel => channel.Dispose());
        }

        private void Create(int each, Func<ShmByteChannel, IDisposable> create)
        {
            foreach (ShmByteChannel channel in _channels)
            {
                _ends.AddRange(Enumerable.Range(0, each).Select(_ => create(channel)));
            }
        }
    }
}
