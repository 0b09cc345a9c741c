// A peer that writes nonsense into the words that every participant may write, and a user who misuses a claim: those who behave go on.

using ShmIpc.Channels;
using ShmIpc.Memory;
using Xunit;

namespace ShmIpc.Tests.Channels;

public sealed class HostilePeerTests : IDisposable
{
    private static readonly TimeSpan _soon = TimeSpan.FromSeconds(60);
    private readonly ScratchRoot _root = new();

    [Theory]
    [InlineData(-8)]
    [InlineData(long.MinValue)]
    [InlineData(1 << 30)]
    [InlineData(12)]
    public async Task A_consumer_whose_cursor_is_nonsense_is_evicted_and_holds_nobody_back(long cursor)
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer broken = channel.CreateConsumer();
        using ByteConsumer honest = channel.CreateConsumer();
        int expected = 0;
        for (int i = 0; i < 500; i++)
        {
            producer.Write(BitConverter.GetBytes(i), _soon);
            honest.Read(_soon);
            broken.Read(_soon);
            expected = i + 1;
        }

        honest.Release();
        ChannelRegion region = Attach();
        Atomics.Release(ref region.Gate(0).Cursor(0), (ulong)cursor);
        for (int i = 0; i < 2_000; i++)
        {
            producer.Write(BitConverter.GetBytes(expected), _soon);
            Assert.Equal(expected++, BitConverter.ToInt32(honest.Read(_soon).Payload));
        }

        Assert.Equal(1, channel.ConsumerCount);
        ShmException evicted = Assert.ThrowsAny<ShmException>(() =>
        {
            while (broken.WaitToRead(_soon))
            {
                while (broken.TryRead(out _))
                {
                }
            }
        });
        Assert.True(evicted is ShmCorruptionException || evicted.Message.Contains("evicted", StringComparison.Ordinal));
        broken.Dispose();
        using ByteConsumer next = channel.CreateConsumer();
        Assert.True(await next.WaitToReadAsync());
        region.ReleaseReference();
    }

    [Theory]
    [InlineData(4)]
    [InlineData(-4)]
    [InlineData((1 << 30) + 1)]
    public async Task A_shared_groups_cursor_that_is_no_multiple_of_8_is_said_once_and_keeps_nobody_beyond_its_timeout(long shift)
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer member = channel.CreateConsumer(new() { Group = "workers", Kind = GroupKind.Shared });
        for (int i = 0; i < 20; i++)
        {
            producer.Write([1, 2, 3], _soon);
        }

        member.Read(_soon);
        ChannelRegion region = Attach();
        Atomics.Release(ref region.Gate(0).Cursor(0), region.Gate(0).Cursor(0) + (ulong)shift);
        Assert.Throws<ShmCorruptionException>(() => member.TryRead(out _));
        Assert.False(member.TryRead(out _));
        Assert.False(member.WaitToRead(TimeSpan.FromMilliseconds(1)));
        Task reading = Task.Run(() => member.Read(TimeSpan.FromMilliseconds(1)).Lane);
        TimeoutException over = await Assert.ThrowsAsync<TimeoutException>(() => reading.WaitAsync(_soon));
        Assert.Contains("No message came", over.Message, StringComparison.Ordinal);
        region.ReleaseReference();
    }

    [Fact]
    public void Bits_of_groups_that_do_not_exist_are_cleared_and_stop_nobody()
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        ChannelRegion region = Attach();
        Atomics.Or(ref region.ActiveGroups, ulong.MaxValue << 4);
        for (int i = 0; i < 500; i++)
        {
            producer.Write(new byte[40], _soon);
        }

        Assert.Equal(0UL, Atomics.Acquire(ref region.ActiveGroups));
        region.ReleaseReference();
    }

    [Fact]
    public void A_lane_with_damaged_control_words_refuses_its_next_producer_and_is_given_back()
    {
        using ShmByteChannel channel = Open();
        ChannelRegion region = Attach();
        region.Lane(0).Committed.Write(12, 5);
        Assert.Throws<ShmCorruptionException>(channel.CreateProducer);
        Assert.Throws<ShmCorruptionException>(channel.CreateProducer);
        Assert.Equal(0, channel.ProducerCount);
        region.Lane(0).Committed.Write(0, 0);
        using ByteProducer producer = channel.CreateProducer();
        Assert.Equal(0, producer.Lane);
        region.ReleaseReference();
    }

    [Fact]
    public void A_copy_of_a_claim_ends_with_it()
    {
        using ShmByteChannel channel = Open();
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer consumer = channel.CreateConsumer();
        Claim claim = producer.Claim(8);
        Claim copy = claim;
        claim.Commit(8);
        Assert.True(IsEnded(ref copy));
        Assert.True(HasNoMemory(ref claim));
        copy.Abort();
        copy.Dispose();
        using Claim second = producer.Claim(8);
        Assert.True(IsEnded(ref copy));
        second.Commit(4);
        Assert.Equal(2, consumer.Count);

        static bool HasNoMemory(ref Claim claim)
        {
            try
            {
                return claim.Span.Length < 0;
            }
            catch (InvalidOperationException)
            {
                return true;
            }
        }

        static bool IsEnded(ref Claim claim)
        {
            try
            {
                claim.Commit(8);
                return false;
            }
            catch (InvalidOperationException)
            {
                return true;
            }
        }
    }

    [Fact]
    public void A_claim_whose_producer_was_disposed_publishes_nothing_and_touches_nothing()
    {
        using ShmByteChannel channel = Open();
        using ByteConsumer consumer = channel.CreateConsumer();
        ByteProducer producer = channel.CreateProducer();
        Claim claim = producer.Claim(8);
        producer.Dispose();
        int refused = 0;
        try
        {
            claim.Span.Clear();
        }
        catch (ObjectDisposedException)
        {
            refused++;
        }

        try
        {
            claim.Commit(8);
        }
        catch (ObjectDisposedException)
        {
            refused++;
        }

        claim.Dispose();
        Assert.Equal(2, refused);
        Assert.Equal(0, consumer.Count);
    }

    public void Dispose() => _root.Dispose();

    private ShmChannelOptions Options() => new() { Root = _root.Path, LaneCapacityBytes = 4096, MaxGroups = 4 };

    private ShmByteChannel Open() => ShmByteChannel.CreateOrOpen("hostile", Options());

    /// <summary>The peer: it has the same memory, and can write what it likes.</summary>
    private ChannelRegion Attach() => ChannelRegion.Attach("hostile", "bytes", 0, Options(), ChannelOpenMode.Open);
}
