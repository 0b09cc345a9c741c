// The producer that is one too many: refused, or waiting until one leaves. Deaths are in ShmIpc.ProcessTests.

using ShmIpc.Channels;
using Xunit;

namespace ShmIpc.Tests.Channels;

public sealed class ProducerLimitTests : IDisposable
{
    private static readonly TimeSpan _soon = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _shortly = TimeSpan.FromMilliseconds(50);
    private readonly ScratchRoot _root = new();

    [Fact]
    public async Task The_17th_producer_of_16_is_refused_or_waits_and_is_told_who_holds_the_lanes()
    {
        using ShmByteChannel channel = Open(maxProducers: null);
        List<ByteProducer> producers = [.. Enumerable.Range(0, 16).Select(_ => channel.CreateProducer())];
        ShmLimitException refusal = Assert.Throws<ShmLimitException>(() => channel.CreateProducer());
        TimeoutException late = Assert.Throws<TimeoutException>(() => channel.CreateProducer(_shortly));
        TimeoutException lateAsync = await Assert.ThrowsAsync<TimeoutException>(() => channel.CreateProducerAsync(_shortly));
        foreach (string message in (string[])[refusal.Message, late.Message, lateAsync.Message])
        {
            Assert.Contains($"processes {Environment.ProcessId}, {Environment.ProcessId},", message, StringComparison.Ordinal);
            Assert.Contains("MaxProducers", message, StringComparison.Ordinal);
        }

        Assert.Equal(16, channel.ProducerCount);
        producers.ForEach(producer => producer.Dispose());
    }

    [Fact]
    public async Task Who_waits_gets_the_lane_of_who_leaves()
    {
        using ShmByteChannel channel = Open(maxProducers: 2);
        ByteProducer first = channel.CreateProducer();
        ByteProducer second = channel.CreateProducer();
        Task<ByteProducer> waiting = OwnThread.Run(() => channel.CreateProducer(_soon));
        Task<ByteProducer> awaiting = channel.CreateProducerAsync(Timeout.InfiniteTimeSpan);
        await Task.Delay(_shortly);
        Assert.False(waiting.IsCompleted || awaiting.IsCompleted);

        second.Write("left"u8);
        second.Dispose();
        first.Dispose();
        using ByteProducer one = await waiting.WaitAsync(_soon);
        using ByteProducer other = await awaiting.WaitAsync(_soon);
        Assert.Equal([0, 1], ((int[])[one.Lane, other.Lane]).Order());
        one.Write("a"u8);
        other.Write("b"u8);
        using ByteConsumer consumer = channel.CreateConsumer();
        Assert.Equal(3, consumer.Count);
    }

    [Fact]
    public async Task A_free_lane_is_taken_without_a_wait()
    {
        using ShmByteChannel channel = Open(maxProducers: 2);
        using ByteProducer first = channel.CreateProducer(TimeSpan.Zero);
        Task<ByteProducer> second = channel.CreateProducerAsync(TimeSpan.Zero);
        Assert.True(second.IsCompletedSuccessfully);
        (await second).Dispose();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => channel.CreateProducerAsync(TimeSpan.Zero, new CancellationToken(canceled: true)));
        Assert.Equal(1, channel.ProducerCount);
    }

    [Fact]
    public async Task A_wait_ends_with_its_token_its_channel_object_and_its_channel()
    {
        using ShmByteChannel channel = Open(maxProducers: 1);
        using ByteProducer producer = channel.CreateProducer();
        using CancellationTokenSource cancellation = new();
        Task waiting = OwnThread.Run(() => channel.CreateProducer(Timeout.InfiniteTimeSpan, cancellation.Token));
        Task awaiting = channel.CreateProducerAsync(Timeout.InfiniteTimeSpan, cancellation.Token);
        cancellation.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(_soon));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => awaiting.WaitAsync(_soon));
        Assert.ThrowsAny<OperationCanceledException>(() => channel.CreateProducer(_soon, cancellation.Token));

        ShmByteChannel other = Open(maxProducers: 1);
        awaiting = other.CreateProducerAsync(Timeout.InfiniteTimeSpan);
        other.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => awaiting.WaitAsync(_soon));

        waiting = OwnThread.Run(() => channel.CreateProducer(Timeout.InfiniteTimeSpan));
        ShmChannel.Delete("limit", _root.Path);
        await Assert.ThrowsAsync<ShmRegionDeletedException>(() => waiting.WaitAsync(_soon));
        Assert.Throws<ArgumentOutOfRangeException>(() => channel.CreateProducer(TimeSpan.FromSeconds(-2)));
    }

    [Fact]
    public async Task Waiting_spends_no_stamp_and_no_participants_slot()
    {
        using ShmByteChannel channel = Open(maxProducers: 1, maxParticipants: 2);
        using ByteProducer producer = channel.CreateProducer();
        Task waiting = channel.CreateProducerAsync(_soon);
        Assert.Throws<TimeoutException>(() => channel.CreateProducer(_shortly));
        Assert.Throws<ShmLimitException>(() => channel.CreateProducer());
        Assert.Equal(1, channel.ProducerCount);
        byte[] region = File.ReadAllBytes(Path.Combine(_root.Path, "limit"));
        Assert.Equal(1, BitConverter.ToInt64(region, 4096)); // slot 0: the producer's epoch
        Assert.Equal(0, BitConverter.ToInt64(region, 4096 + 256)); // slot 1: never taken
        producer.Dispose();
        await waiting.WaitAsync(_soon);
    }

    [Fact]
    public async Task Many_who_wait_are_served_one_after_the_other()
    {
        using ShmChannel<string> channel = ShmChannel.CreateOrOpen<string>(
            "typed", new ShmChannelOptions { Root = _root.Path, MaxProducers = 2, MaxParticipants = 3, MaxGroups = 1 });
        using Consumer<string> consumer = channel.CreateConsumer();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => i % 2 == 0 ? Produce(i) : Task.Run(() => Produce(i)))).WaitAsync(_soon);
        HashSet<string> seen = [];
        while (consumer.TryRead(out string? message))
        {
            Assert.True(seen.Add(message));
        }

        Assert.Equal(20, seen.Count);

        async Task Produce(int number)
        {
            using Producer<string> producer = number % 3 == 0
                ? channel.CreateProducer(_soon)
                : await channel.CreateProducerAsync(_soon);
            producer.Write($"message {number}");
        }
    }

    public void Dispose() => _root.Dispose();

    private ShmByteChannel Open(int? maxProducers, int? maxParticipants = null) => ShmByteChannel.CreateOrOpen(
        "limit",
        new ShmChannelOptions
        {
            Root = _root.Path,
            LaneCapacityBytes = 4096,
            MaxProducers = maxProducers,
            MaxParticipants = maxParticipants,
        });
}
