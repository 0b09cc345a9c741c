using ShmIpc.Channels;

namespace ShmIpc.Tests.Documents;

/// <summary>What docs/channels.md shows, given the names that it uses: compiled, and not run.</summary>
internal static class ChannelsDocument
{
    public static void Groups(ShmChannel<Job> channel)
    {
        ConsumerOptions standBy = new() { Group = "audit" };                               // exclusive: one reads, the others stand by
        ConsumerOptions workers = new() { Group = "workers", Kind = GroupKind.Shared };    // shared: each message goes to one of them
        using Consumer<Job> consumer = channel.CreateConsumer(workers);

        _ = standBy;
    }

    public static void Durable()
    {
        ShmChannelOptions options = new() { RequiredGroups = [new() { Name = "workers", Kind = GroupKind.Shared }] };
        using var channel = ShmChannel.CreateOrOpen<Job>("jobs", options);
        using Consumer<Job> consumer = channel.CreateConsumer(new() { Group = "workers", Kind = GroupKind.Shared, Durable = true });
    }

    public static async Task Acknowledge(ShmChannel<Job> channel, CancellationToken ct)
    {
        ConsumerOptions options = new() { Group = "workers", Kind = GroupKind.Shared, Acknowledge = AcknowledgeMode.Manual, MaxInFlight = 4 };
        using Consumer<Job> consumer = channel.CreateConsumer(options);
        await foreach (Delivery<Job> delivery in consumer.ReceiveAllAsync(ct))
        {
            if (delivery.DeliveryCount > 3) Park(delivery.Message);  // it has cost the lives of three
            else Work(delivery.Message);
            delivery.Acknowledge();
        }
    }

    public static void Look(ShmChannel<Job> channel)
    {
        foreach (ShmGroup group in channel.Groups)
            Console.WriteLine($"{group.Name ?? "(nameless)"}: {group.Members.Count} members, {group.Lag} messages behind, {group.InFlight} at work");
    }

    public static void Claims(ByteProducer producer)
    {
        using Claim claim = producer.Claim(4096);
        int length = Render(claim.Span);
        claim.Commit(length);
    }

    public static void Batches(
        ByteProducer producer, Producer<Job> typedProducer, byte[] header, ReadOnlyMemory<byte>[] payloads, Job[] messages)
    {
        using (Batch batch = producer.BeginBatch())
        {
            batch.Write(header);
            using (Claim claim = batch.Claim(4096)) claim.Commit(Render(claim.Span));
            batch.Publish();                       // without this, nothing of it was ever there
        }

        producer.WriteBatch(payloads);             // ready payloads in one call; TryWriteBatch, WriteBatchAsync
        typedProducer.WriteBatch(messages);        // the same for Producer<T>
    }

    public static void ReadBatch(ByteConsumer consumer)
    {
        using RecordBatch batch = consumer.ReadBatch(256);
        foreach (ShmRecord record in batch) Index(record.Payload);   // as often as needed
    }

    public static async Task Complete(Producer<Quote> producer, Consumer<Quote> consumer, CancellationToken ct)
    {
        producer.TryComplete();                                     // or TryComplete(new IOException("the source is gone"))

        await foreach (Quote quote in consumer.ReadAllAsync(ct))    // ends; with ShmRemoteException after an error
            Console.WriteLine(quote);
    }

    public static void WaitAny(ShmChannel<Order> orderChannel, ShmByteChannel frameChannel)
    {
        using Consumer<Order> orders = orderChannel.CreateConsumer();
        using ByteConsumer frames = frameChannel.CreateConsumer();
        IShmConsumer[] all = [orders, frames];
        while (true)
        {
            switch (ShmChannel.WaitAny(all, Timeout.InfiniteTimeSpan))
            {
                case 0 when orders.TryRead(out Order? order): Handle(order); break;
                case 1 when frames.TryRead(out ShmRecord frame): Handle(frame.Payload); break;
                default: if (orders.Completion.IsCompleted || frames.Completion.IsCompleted) return; break;
            }
        }
    }

    private static int Render(Span<byte> destination) => destination.Length;

    private static void Index(ReadOnlySpan<byte> payload) => _ = payload;

    private static void Handle(ReadOnlySpan<byte> payload) => _ = payload;

    private static void Handle(Order order) => _ = order;

    private static void Park(Job job) => _ = job;

    private static void Work(Job job) => _ = job;

    public sealed record Job(string Name);

    public sealed record Order(string Name);

    public sealed record Quote(string Symbol, double Price);
}
