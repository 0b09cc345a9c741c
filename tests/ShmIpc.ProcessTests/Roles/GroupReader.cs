// Reads as a member of a group, in each way in which one can read, and checks the order: a member of an exclusive group gets each
// producer's messages one after the other, and goes on where the member before it stopped; a member of a shared one never gets an
// earlier message behind a later one, unless it is announced as repeated.

using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Roles;

internal sealed class GroupReader(Ledger ledger, GroupKind kind, bool isDurable, long episode, int mostInFlight, int seed)
{
    private const int BatchRecords = 64;
    private const int Look = 32; // how far back it looks for what its predecessor noted
    private readonly Ledger _ledger = ledger;
    private readonly GroupKind _kind = kind;
    private readonly bool _isDurable = isDurable;
    private readonly long _episode = episode;
    private readonly int _mostInFlight = mostInFlight;
    private readonly Random _random = new(seed);
    private readonly Dictionary<long, long> _next = [];
    private int _inFlight;

    public Task Read(ByteConsumer consumer, CancellationToken end)
    {
        while (true)
        {
            if (!consumer.TryRead(out ShmRecord record))
            {
                Release(consumer);
                record = consumer.Read(Timeout.InfiniteTimeSpan, end);
            }

            Take(consumer, record);
        }
    }

    public async Task ReadAsync(ByteConsumer consumer, CancellationToken end)
    {
        while (await consumer.WaitToReadAsync(end))
        {
            while (consumer.TryRead(out ShmRecord record))
            {
                Take(consumer, record);
            }

            Release(consumer);
        }
    }

    public Task ReadBatches(ByteConsumer consumer, CancellationToken end)
    {
        while (true)
        {
            using RecordBatch batch = consumer.ReadBatch(BatchRecords, Timeout.InfiniteTimeSpan, end);
            foreach (ShmRecord record in batch)
            {
                Note(record.Payload, record.DeliveryCount);
            }
        }
    }

    public async Task ReadTyped(Consumer<byte[]> consumer, bool isPlain, CancellationToken end)
    {
        if (isPlain)
        {
            await foreach (byte[] message in consumer.ReadAllAsync(end))
            {
                Note(message, 1);
            }
        }

        await foreach (Delivery<byte[]> delivery in consumer.ReceiveAllAsync(end))
        {
            Note(delivery.Message, delivery.DeliveryCount);
            if (_mostInFlight > 0 && _random.Next(2) == 0)
            {
                delivery.Acknowledge(); // before others that came earlier
            }
            else
            {
                _inFlight++;
            }

            // It must not wait with something in its hand; and what is left for a shared group another member may take.
            if (_mostInFlight > 0 && (_inFlight >= _mostInFlight || _kind == GroupKind.Shared || consumer.Count == 0))
            {
                consumer.Acknowledge();
                _inFlight = 0;
            }
        }
    }

    public void Note(ReadOnlySpan<byte> payload, int deliveryCount)
    {
        (long producer, long number) = CampaignRoles.Check(payload);
        bool isRepeated = deliveryCount > 1;
        if (producer / CampaignRoles.ProducersOfEpisode != _episode)
        {
            // A new group begins with the oldest message that has not been overwritten, whoever has read it long ago.
            if (_isDurable || producer / CampaignRoles.ProducersOfEpisode > _episode)
            {
                throw new InvalidOperationException($"Message {number} of producer {producer} is not of episode {_episode}.");
            }

            return;
        }

        producer %= CampaignRoles.ProducersOfEpisode;
        bool isKnown = _next.TryGetValue(producer, out long expected);
        bool isInOrder = _kind == GroupKind.Shared
            ? isRepeated || number >= expected
            : isKnown ? number == expected : isRepeated || FollowsWhatIsNoted(producer, number);
        if (!isInOrder)
        {
            throw new InvalidOperationException(
                $"Message {number} of producer {producer} (delivery {deliveryCount}) came where {expected} was due.");
        }

        if (_kind == GroupKind.Exclusive || !isRepeated)
        {
            _next[producer] = number + 1;
        }

        Dawdle(); // who dies here has it in its hand, and nobody knows
        _ledger.Note(producer, number, isRepeated);
        Dawdle();
    }

    private void Dawdle()
    {
        if (_random.Next(24) == 0)
        {
            Thread.Sleep(_random.Next(12));
        }
    }

    /// <summary>The message before it was noted, or none before it: then the group began here.</summary>
    private bool FollowsWhatIsNoted(long producer, long number)
    {
        for (long before = number - 1; before >= Math.Max(number - Look, 0); before--)
        {
            (int first, int repeated) = _ledger[producer, before];
            if (first + repeated > 0)
            {
                return before == number - 1;
            }
        }

        return true;
    }

    private void Take(ByteConsumer consumer, in ShmRecord record)
    {
        Note(record.Payload, record.DeliveryCount);
        if (_mostInFlight > 0 && _random.Next(3) == 0)
        {
            consumer.Acknowledge(record); // before others that came earlier
        }
        else if (++_inFlight >= _mostInFlight)
        {
            Release(consumer);
        }
    }

    private void Release(ByteConsumer consumer)
    {
        if (_mostInFlight > 0)
        {
            consumer.Release();
        }

        _inFlight = 0;
    }
}
