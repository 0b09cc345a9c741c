// Follows the streams of Message.cs as a consumer sees them and refuses everything but the next message of the lane's producer, or the
// first of the producer that took the lane over.

using System.Buffers.Binary;
using System.Diagnostics;
using ShmIpc.Channels;

namespace ShmIpc.ProcessTests.Harness;

internal sealed class StreamChecker
{
    private const long Unknown = -1;
    private readonly LaneStream[] _lanes;
    private readonly Dictionary<long, long> _counts = [];

    /// <param name="isLate">True for a consumer that joins when producers are at work already: a lane's first messages may be any.</param>
    public StreamChecker(bool isLate = false)
    {
        _lanes = Enumerable.Range(0, 32).Select(_ => new LaneStream { IsLate = isLate }).ToArray();
    }

    /// <summary>Messages checked, over all producers.</summary>
    public long Total { get; private set; }

    /// <summary>Number behind the last message that came from a producer; 0 when none came.</summary>
    public long NextOf(long producer) => _counts.GetValueOrDefault(producer);

    /// <summary>Reads for a while, or only lets the time pass: then the producer fills its lane and sleeps.</summary>
    public void ReadFor(ByteConsumer consumer, TimeSpan time, bool isReading)
    {
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < time)
        {
            if (isReading)
            {
                DrainSome(consumer);
            }
            else
            {
                Thread.Sleep(1);
            }
        }
    }

    public void Check(in ShmRecord record)
    {
        LaneStream lane = _lanes[record.Lane];
        if (lane.Sequence != Unknown && record.Sequence != lane.Sequence)
        {
            throw new InvalidOperationException($"Lane {record.Lane}: message {record.Sequence} came instead of {lane.Sequence}.");
        }

        lane.Sequence = record.Sequence + 1;
        Total++;
        string? difference = lane.Producer == Unknown
            ? "not the first message of a producer"
            : Message.Differs(record.Payload, lane.Producer, lane.Number);
        if (difference is null)
        {
            Advance(lane);
        }
        else if (!TryBegin(lane, record) && !(lane.IsLate && lane.Producer == Unknown))
        {
            throw new InvalidOperationException(
                $"Lane {record.Lane}, position {record.Position}, sequence {record.Sequence}: {difference}");
        }
    }

    /// <summary>The producer's number may be used again by another one.</summary>
    public void Forget(long producer) => _counts.Remove(producer);

    /// <summary>Takes and checks everything that is there: call it when nobody writes any more, or it may never end.</summary>
    public void Drain(ByteConsumer consumer)
    {
        while (DrainSome(consumer))
        {
        }
    }

    /// <summary>Takes and checks a few hundred messages at most. True when there may be more.</summary>
    public bool DrainSome(ByteConsumer consumer)
    {
        for (int i = 0; i < 200; i++)
        {
            if (!consumer.TryRead(out ShmRecord record))
            {
                return false;
            }

            Check(record);
        }

        return true;
    }

    /// <summary>A producer's first message, or to a late consumer any that names its producer.</summary>
    private bool TryBegin(LaneStream lane, in ShmRecord record)
    {
        if (record.Payload.Length < 16)
        {
            return false;
        }

        long producer = BinaryPrimitives.ReadInt64LittleEndian(record.Payload);
        long number = BinaryPrimitives.ReadInt64LittleEndian(record.Payload[8..]);
        bool isStart = producer != lane.Producer && (number == 0 || (lane.IsLate && lane.Producer == Unknown));
        if (!isStart || Message.Differs(record.Payload, producer, number) is not null)
        {
            return false;
        }

        (lane.Producer, lane.Number) = (producer, number);
        Advance(lane);
        return true;
    }

    private void Advance(LaneStream lane)
    {
        lane.Number++;
        _counts[lane.Producer] = lane.Number;
    }

    private sealed class LaneStream
    {
        public bool IsLate { get; init; }

        public long Producer { get; set; } = Unknown;

        public long Number { get; set; }

        public long Sequence { get; set; } = Unknown;
    }
}
