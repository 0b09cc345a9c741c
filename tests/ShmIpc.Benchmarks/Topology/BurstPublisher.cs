// What publishing costs the publisher in processor time, however many groups read: bursts of half a lane, each begun when all groups have
// read everything, so that there is always room and nothing is waited for. The burst is timed, by the thread's own processor clock, with
// the look at the groups' cursors that every second one begins with; the waiting is not.

using System.Diagnostics;
using HdrHistogram;
using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Channels;

namespace ShmIpc.Benchmarks.Topology;

internal sealed class BurstPublisher(PartSettings settings) : IPart
{
    private const int FewestBursts = 20;
    private const int HeaderBytes = 8;
    private const int Picoseconds = 1000; // the histogram's unit is a thousandth of a nanosecond
    private const long LongestPs = 1_000_000_000;

    private readonly byte[] _payload = new byte[settings.PayloadBytes];
    private ulong _number;

    public Sample Run(Lifeline lifeline)
    {
        int messages = (int)(settings.LaneCapacityBytes / 2 / (HeaderBytes + settings.PayloadBytes));
        LongHistogram bursts = new(1, LongestPs, 3);
        using ShmByteChannel channel = Meeting.Open(settings);
        Meeting.AwaitConsumers(channel, settings.Peers);
        using ByteProducer producer = channel.CreateProducer();
        using Turns? turns = settings.TakesTurns ? new Turns(settings, isPublisher: true) : null;
        long end = Stopwatch.GetTimestamp() + Measurement.ToTicks(settings.WarmUp);
        while (Stopwatch.GetTimestamp() < end)
        {
            _ = RunBurst(channel, producer, turns, messages);
        }

        end = Stopwatch.GetTimestamp() + Measurement.ToTicks(settings.Measure);
        long cpu = 0;
        while (Stopwatch.GetTimestamp() < end || bursts.TotalCount < FewestBursts)
        {
            long burst = RunBurst(channel, producer, turns, messages);
            cpu += burst;
            bursts.RecordValue(Math.Clamp(burst * Picoseconds / messages, 1, LongestPs));
        }

        producer.TryComplete();
        turns?.Give(0);
        return new Sample
        {
            Operations = bursts.TotalCount * messages,
            Seconds = cpu / 1e9,
            TypicalNs = bursts.GetValueAtPercentile(50) / (double)Picoseconds,
            Samples = bursts.TotalCount,
            Checksum = Numbers.SumOf(0, _number),
            Preemptions = Measurement.Preemptions(),
        };
    }

    private long RunBurst(ShmByteChannel channel, ByteProducer producer, Turns? turns, int messages)
    {
        long before = ProcFiles.ThreadCpuNs();
        Publish(producer, messages);
        long cpu = ProcFiles.ThreadCpuNs() - before;
        if (turns is null)
        {
            Rendezvous.WaitUntil(() => channel.Groups.All(group => group.Lag == 0), "group that has read everything");
        }
        else
        {
            turns.Give(messages);
            _ = turns.Take();
        }

        return cpu;
    }

    private void Publish(ByteProducer producer, int messages)
    {
        for (int i = 0; i < messages; i++)
        {
            Numbers.Write(_payload, 0, _number++);
            if (!producer.TryWrite(_payload))
            {
                throw new InvalidOperationException("There was no room, so this would have measured waiting.");
            }
        }
    }
}
