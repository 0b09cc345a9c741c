// What is counted, in the order in which it runs. Each channel is private to its scenarios, and everything that is counted runs on one thread.

using MessagePack;
using ShmIpc.Channels;
using ShmIpc.Serialization;

namespace ShmIpc.InstructionCounts;

internal static class Scenarios
{
    private const int BatchMessages = 64;
    private const int ManyGroups = 8;

    public static IEnumerable<Scenario> All(string root)
    {
        ShmChannelOptions options = new() { Root = root, LaneCapacityBytes = 64 * 1024 };
        ShmChannelOptions single = options with { SingleWriter = true, SingleReader = true };
        byte[] small = new byte[8];
        byte[] payload = new byte[64];

        using (ShmByteChannel channel = ShmByteChannel.Create("bytes", options))
        using (ByteProducer producer = channel.CreateProducer())
        using (ByteConsumer consumer = channel.CreateConsumer())
        {
            yield return Publishing("publish 8 B", Writes(producer, small), Reads(consumer));
            yield return Publishing("publish 64 B", Writes(producer, payload), Reads(consumer));
            yield return Reading("read 64 B", Writes(producer, payload), Reads(consumer));
            yield return Publishing("claim and commit 64 B", Claims(producer, payload.Length), Reads(consumer));
            yield return Publishing("batch of 64, publish 64 B, a message", Batches(producer, payload), BatchReads(consumer));
            yield return Reading("batch of 64, read 64 B, a message", Batches(producer, payload), BatchReads(consumer));
        }

        using (ShmByteChannel channel = ShmByteChannel.Create("single", single))
        using (ByteProducer producer = channel.CreateProducer())
        using (ByteConsumer consumer = channel.CreateConsumer())
        {
            yield return Publishing("publish 64 B, single writer", Writes(producer, payload), Reads(consumer));
            yield return Reading("read 64 B, single reader", Writes(producer, payload), Reads(consumer));
        }

        using (ShmByteChannel channel = ShmByteChannel.Create("taking-turns", options))
        using (ByteProducer producer = channel.CreateProducer())
        using (ByteConsumer consumer = channel.CreateConsumer())
        {
            Scenario publishing = Publishing("publish 64 B, threads in turn", Writes(producer, payload), Reads(consumer));
            Scenario reading = Reading("read 64 B, threads in turn", Writes(producer, payload), Reads(consumer));
            publishing.Publish(2 * BatchMessages);
            publishing.Read(2 * BatchMessages); // by now both gates are biased to this thread
            Thread second = new(() =>
            {
                producer.TryWrite(payload);
                consumer.TryRead(out _);
            });
            second.Start(); // and now they are not
            second.Join();
            yield return publishing;
            yield return reading;
        }

        using (ShmByteChannel channel = ShmByteChannel.Create("exclusive", options))
        using (ByteProducer producer = channel.CreateProducer())
        using (ByteConsumer consumer = channel.CreateConsumer(new ConsumerOptions { Group = "exclusive" }))
        {
            yield return Reading("read 64 B, named exclusive group", Writes(producer, payload), Reads(consumer));
        }

        ConsumerOptions member = new() { Group = "shared", Kind = GroupKind.Shared, Acknowledge = AcknowledgeMode.Manual };
        using (ShmByteChannel channel = ShmByteChannel.Create("shared", options))
        using (ByteProducer producer = channel.CreateProducer())
        using (ByteConsumer consumer = channel.CreateConsumer(member))
        {
            yield return Reading("read and acknowledge 64 B, shared group", Writes(producer, payload), Acknowledges(consumer));
        }

        using (ShmByteChannel channel = ShmByteChannel.Create("groups", options))
        using (ByteProducer producer = channel.CreateProducer())
        {
            ByteConsumer[] consumers = [.. Enumerable.Range(0, ManyGroups).Select(_ => channel.CreateConsumer())];
            Action<int>[] reads = [.. consumers.Select(Reads)];
            yield return Publishing(
                $"publish 64 B, {ManyGroups} groups", Writes(producer, payload), messages => Array.ForEach(reads, read => read(messages)));
            Array.ForEach(consumers, consumer => consumer.Dispose());
        }

        using (ShmChannel<Tick> channel = ShmChannel.Create("blittable", new BlittablePayload<Tick>(), options))
        using (Producer<Tick> producer = channel.CreateProducer())
        using (Consumer<Tick> consumer = channel.CreateConsumer())
        {
            yield return Both("publish and read a struct, blittable", Writes(producer), Reads(consumer));
        }

        MessagePackPayload<Tick> packed = new(new MessagePackSerializerOptions(new TickResolver()));
        using (ShmChannel<Tick> channel = ShmChannel.Create("packed", packed, options))
        using (Producer<Tick> producer = channel.CreateProducer())
        using (Consumer<Tick> consumer = channel.CreateConsumer())
        {
            yield return Both("publish and read a struct, MessagePack", Writes(producer), Reads(consumer));
        }
    }

    private static Scenario Publishing(string name, Action<int> publish, Action<int> read) => new(name, publish, read, true, false);

    private static Scenario Reading(string name, Action<int> publish, Action<int> read) => new(name, publish, read, false, true);

    private static Scenario Both(string name, Action<int> publish, Action<int> read) => new(name, publish, read, true, true);

    private static Action<int> Writes(ByteProducer producer, byte[] payload) => messages =>
    {
        for (int i = 0; i < messages; i++)
        {
            Expect(producer.TryWrite(payload));
        }
    };

    private static Action<int> Claims(ByteProducer producer, int sizeBytes) => messages =>
    {
        for (int i = 0; i < messages; i++)
        {
            Expect(producer.TryClaim(sizeBytes, out Claim claim));
            claim.Commit(sizeBytes);
        }
    };

    private static Action<int> Batches(ByteProducer producer, byte[] payload) => messages =>
    {
        for (int i = 0; i < messages; i += BatchMessages)
        {
            using Batch batch = producer.BeginBatch();
            for (int j = 0; j < BatchMessages; j++)
            {
                Expect(batch.TryWrite(payload));
            }

            batch.Publish();
        }
    };

    private static Action<int> Reads(ByteConsumer consumer) => messages =>
    {
        for (int i = 0; i < messages; i++)
        {
            Expect(consumer.TryRead(out ShmRecord record) && !record.Payload.IsEmpty);
        }
    };

    private static Action<int> Acknowledges(ByteConsumer consumer) => messages =>
    {
        for (int i = 0; i < messages; i++)
        {
            Expect(consumer.TryRead(out ShmRecord record) && !record.Payload.IsEmpty);
            consumer.Acknowledge(record);
        }
    };

    private static Action<int> BatchReads(ByteConsumer consumer) => messages =>
    {
        for (int i = 0; i < messages; i += BatchMessages)
        {
            Expect(consumer.TryReadBatch(BatchMessages, out RecordBatch batch) && batch.Count == BatchMessages);
            foreach (ShmRecord record in batch)
            {
                Expect(!record.Payload.IsEmpty);
            }

            batch.Release();
        }
    };

    private static Action<int> Writes(Producer<Tick> producer) => messages =>
    {
        for (int i = 0; i < messages; i++)
        {
            Expect(producer.TryWrite(new Tick(1_000_000, 101.25, 500)));
        }
    };

    private static Action<int> Reads(Consumer<Tick> consumer) => messages =>
    {
        for (int i = 0; i < messages; i++)
        {
            Expect(consumer.TryRead(out Tick tick) && tick.Volume == 500);
        }
    };

    private static void Expect(bool isTrue)
    {
        if (!isTrue)
        {
            throw new InvalidOperationException("A message was refused, or is not there, or another one.");
        }
    }
}
