// Writes as fast as there is room, with one thread or with several that share the producer, and measures from the end of its warm-up
// on. The rate is that of the slowest group, but for what fits into one lane, which is little of a whole run.

using System.Diagnostics;
using HdrHistogram;
using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Transports.OfChannels;
using ShmIpc.Channels;

namespace ShmIpc.Benchmarks.Topology;

internal sealed class Publisher(PartSettings settings) : IPart
{
    private const int Stride = 16; // each thread's count on cache lines of its own

    private readonly long[] _written = new long[Numbers.MaxSources * Stride];
    private volatile bool _isOver;

    public Sample Run(Lifeline lifeline)
    {
        using ShmByteChannel channel = Meeting.Open(settings);
        Meeting.AwaitConsumers(channel, settings.Peers);
        using ByteProducer producer = channel.CreateProducer();
        Sample sample = settings.Threads == 1 ? RunAlone(producer) : RunThreads(producer);
        producer.TryComplete();
        return sample with { Checksum = Checksum() };
    }

    private Sample RunAlone(ByteProducer producer)
    {
        ChannelSender sender = new(producer);
        byte[] payload = new byte[settings.PayloadBytes];
        long end = Stopwatch.GetTimestamp() + Measurement.ToTicks(settings.WarmUp);
        while (Stopwatch.GetTimestamp() < end)
        {
            RunBatch(sender, payload, 0);
        }

        long measure = Measurement.ToTicks(settings.Measure);
        LongHistogram batches = Measurement.NewHistogram();
        long allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
        long start = Stopwatch.GetTimestamp();
        long now = start;
        long before = _written[0];
        while (now - start < measure)
        {
            RunBatch(sender, payload, 0);
            long after = Stopwatch.GetTimestamp();
            Measurement.Record(batches, after - now);
            now = after;
        }

        return new Sample
        {
            Operations = _written[0] - before,
            Seconds = Measurement.Seconds(now - start),
            TypicalNs = batches.GetValueAtPercentile(50) / (double)settings.Batch,
            AllocatedBytes = GC.GetAllocatedBytesForCurrentThread() - allocatedBefore,
            AllocationOperations = _written[0] - before,
            Preemptions = Measurement.Preemptions(),
        };
    }

    private Sample RunThreads(ByteProducer producer)
    {
        Thread[] threads = [.. Enumerable.Range(0, settings.Threads).Select(source => new Thread(() => Write(producer, source)))];
        Array.ForEach(threads, thread => thread.Start());
        Thread.Sleep(settings.WarmUp);
        long start = Stopwatch.GetTimestamp();
        long before = Written();
        Thread.Sleep(settings.Measure);
        long elapsed = Stopwatch.GetTimestamp() - start;
        long operations = Written() - before;
        _isOver = true;
        Array.ForEach(threads, thread => thread.Join());
        return new Sample { Operations = operations, Seconds = Measurement.Seconds(elapsed) };
    }

    private void Write(ByteProducer producer, int source)
    {
        byte[] payload = new byte[settings.PayloadBytes];
        ChannelSender sender = new(producer);
        while (!_isOver)
        {
            RunBatch(sender, payload, source);
        }
    }

    private void RunBatch(ChannelSender sender, byte[] payload, int source)
    {
        ref long written = ref _written[source * Stride];
        for (int i = 0; i < settings.Batch; i++)
        {
            Numbers.Write(payload, source, (ulong)written);
            sender.Send(payload);
            written++;
        }
    }

    private long Written() => Enumerable.Range(0, settings.Threads).Sum(source => Volatile.Read(ref _written[source * Stride]));

    private ulong Checksum()
    {
        ulong sum = 0;
        for (int source = 0; source < settings.Threads; source++)
        {
            sum = unchecked(sum + Numbers.SumOf(source, (ulong)_written[source * Stride]));
        }

        return sum;
    }
}
