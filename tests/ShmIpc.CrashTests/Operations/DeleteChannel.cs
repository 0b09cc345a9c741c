using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>While others are attached.</summary>
internal sealed class DeleteChannel : ChannelOperation
{
    private const int First = 15;
    private const int Last = 3;
    private string? _root;
    private ByteProducer? _producer;
    private ByteConsumer? _consumer;

    public override string Role => "deleter";

    public override string What => "deletes a channel";

    public override string[] Outcomes { get; } =
    [
        "the whole channel; everybody goes on",
        "a channel that is marked as deleted: everybody learns of it, and the next creator takes its name away",
        "no channel: everybody learns of it",
    ];

    public override void Prepare(string root) => _root = root;

    public override void Act() => ShmChannel.Delete(Name, _root);

    /// <summary>In between it rings one doorbell after the other, whether somebody sleeps there or not.</summary>
    public override IEnumerable<int> Choose(int steps) => Enumerable.Range(1, First).Concat(Enumerable.Range(steps - Last + 1, Last));

    public override string Observe()
    {
        using ByteProducer producer = _producer!;
        using ByteConsumer consumer = _consumer!;
        bool isThere = ShmChannel.Exists(Name, Root);
        string outcome = Outcomes[isThere ? 1 : 2];
        if (isThere && Record.Exception(() => Pass(producer, consumer)) is not ShmRegionDeletedException)
        {
            outcome = Outcomes[0];
            Pass(producer, consumer);
            Assert.True(ShmChannel.Delete(Name, Root));
        }

        Assert.Throws<ShmRegionDeletedException>(() => consumer.Read(Patience));
        Assert.Throws<ShmRegionDeletedException>(() => WriteForEver(producer));
        Assert.Throws<ShmRegionDeletedException>(() => Channel.CreateProducer());
        Assert.Throws<ShmRegionNotFoundException>(() => ShmByteChannel.Open(Name, OptionsIn(Root)));
        using ShmByteChannel next = ShmByteChannel.Create(Name, OptionsIn(Root));
        using ByteConsumer nextConsumer = next.CreateConsumer();
        using ByteProducer nextProducer = next.CreateProducer();
        Pass(nextProducer, nextConsumer);
        Assert.Equal([Path.Combine(Root, Name)], Directory.GetFileSystemEntries(Root));
        return outcome;
    }

    protected override void SetStage()
    {
        _producer = Channel.CreateProducer();
        _consumer = Channel.CreateConsumer();
    }

    protected override void Prepare()
    {
    }

    protected override string Look() => "";

    /// <summary>A message passes.</summary>
    private static void Pass(ByteProducer producer, ByteConsumer consumer)
    {
        Assert.False(consumer.WaitToRead(TimeSpan.Zero));
        producer.Write([7], Patience);
        Assert.Equal(7, consumer.Read(Patience).Payload[0]);
    }

    /// <summary>Without a reader: it learns of the deletion at the latest when it waits for room.</summary>
    private static void WriteForEver(ByteProducer producer)
    {
        while (true)
        {
            producer.Write(new byte[100], Patience);
        }
    }
}
