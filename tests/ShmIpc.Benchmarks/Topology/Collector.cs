// Reads the lanes of all feeders, checks each one's numbers, and measures from the end of its warm-up on.

using System.Diagnostics;
using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Transports.OfChannels;
using ShmIpc.Channels;

namespace ShmIpc.Benchmarks.Topology;

internal sealed class Collector(PartSettings settings) : IPart
{
    private readonly byte[] _payload = new byte[settings.PayloadBytes];
    private readonly Numbers _numbers = new();

    public Sample Run(Lifeline lifeline)
    {
        using ShmByteChannel channel = Meeting.Open(settings);
        using ByteConsumer consumer = Meeting.CreateConsumer(channel, settings);
        ChannelReceiver receiver = new(consumer);
        while (_numbers.Sources < settings.Peers)
        {
            RunBatch(receiver); // some may still be starting
        }

        long end = Stopwatch.GetTimestamp() + Measurement.ToTicks(settings.WarmUp);
        while (Stopwatch.GetTimestamp() < end)
        {
            RunBatch(receiver);
        }

        long measure = Measurement.ToTicks(settings.Measure);
        long allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
        long start = Stopwatch.GetTimestamp();
        long now = start;
        long operations = 0;
        while (now - start < measure)
        {
            RunBatch(receiver);
            operations += settings.Batch;
            now = Stopwatch.GetTimestamp();
        }

        return new Sample
        {
            Operations = operations,
            Seconds = Measurement.Seconds(now - start),
            AllocatedBytes = GC.GetAllocatedBytesForCurrentThread() - allocatedBefore,
            AllocationOperations = operations,
            Preemptions = Measurement.Preemptions(),
        };
    }

    private void RunBatch(ChannelReceiver receiver)
    {
        for (int i = 0; i < settings.Batch; i++)
        {
            receiver.Receive(_payload);
            _numbers.Check(_payload);
        }
    }
}
