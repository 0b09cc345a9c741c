using System.Buffers;
using System.Globalization;
using System.Text;
using System.Threading.Channels;
using MessagePack;
using ShmIpc.Channels;
using ShmIpc.Serialization;
using Xunit;

namespace ShmIpc.Tests.Channels;

public sealed class TypedChannelTests : IDisposable
{
    private static readonly TimeSpan _soon = TimeSpan.FromSeconds(60);
    private readonly ScratchRoot _root = new();

    [Fact]
    public void Classes_records_structs_and_null_cross_as_they_were()
    {
        Exchange(new Person { Name = "Ada", Age = 36, Tags = ["x", "y"] }, (sent, got) =>
        {
            Assert.Equal((sent!.Name, sent.Age), (got!.Name, got.Age));
            Assert.Equal(sent.Tags, got.Tags);
        });
        Exchange<Person?>(null, (_, got) => Assert.Null(got));
        Exchange(new Quote("MSFT", 431.20m), Assert.Equal);
        Exchange<Quote?>(null, (_, got) => Assert.Null(got));
        Exchange(new Point(3, -4), Assert.Equal);
        Exchange<Point?>(null, (_, got) => Assert.Null(got));
        Exchange<int>(42, Assert.Equal);
        Exchange<string?>("", Assert.Equal);
        Exchange<string?>(null, Assert.Equal);
        Exchange(new[] { 1.5, double.NaN }, Assert.Equal);
        Exchange(new Dictionary<string, List<int>> { ["a"] = [1, 2] }, Assert.Equal);
    }

    [Fact]
    public async Task A_channel_in_memory_says_what_it_is_and_that_it_cannot_be_flushed()
    {
        using ShmChannel<int> channel = Open<int>("properties", 65_536);
        using Producer<int> producer = channel.CreateProducer();
        using Consumer<int> consumer = channel.CreateConsumer();
        Assert.Equal((65_536L, null, 1, 1), (channel.LaneCapacityBytes, channel.EvictAfter, channel.ProducerCount, channel.ConsumerCount));
        Assert.Equal(channel.MaxMessageBytes, producer.MaxMessageBytes);
        Assert.Single(Assert.Single(channel.Groups).Members);
        await producer.WriteAsync(7, TestContext.Current.CancellationToken);
        Assert.Equal(7, consumer.Read(_soon));
        Assert.Throws<InvalidOperationException>(producer.Flush);
        await Assert.ThrowsAsync<InvalidOperationException>(() => producer.FlushAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public void A_single_writer_that_is_used_during_its_claim_says_so()
    {
        ShmChannelOptions options = new() { Root = _root.Path, LaneCapacityBytes = 65_536, SingleWriter = true };
        using ShmByteChannel channel = ShmByteChannel.Create("single", options);
        using ByteProducer producer = channel.CreateProducer();
        using (Claim claim = producer.Claim(8))
        {
            InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => producer.TryWrite("x"u8));
            Assert.Contains("has an open claim or batch", error.Message, StringComparison.Ordinal);
        }

        Assert.True(producer.TryWrite("x"u8));
    }

    [Fact]
    public void A_wait_strategy_that_there_is_none_is_refused()
    {
        ShmChannelOptions options = new() { Root = _root.Path, WaitStrategy = (ShmIpc.Waiting.WaitStrategy)9 };
        Assert.Throws<ArgumentOutOfRangeException>(() => ShmByteChannel.Create("x", options));
    }

    [Fact]
    public void Messages_of_every_size_cross_also_those_that_outgrow_the_room_at_hand()
    {
        using ShmChannel<byte[]> channel = Open<byte[]>("sizes", 65_536);
        using Producer<byte[]> producer = channel.CreateProducer();
        using Consumer<byte[]> consumer = channel.CreateConsumer();
        Random random = new(7);
        for (int i = 0; i < 3_000; i++)
        {
            byte[] sent = new byte[i % 50 == 0 ? random.Next(32_700) : random.Next(600)];
            random.NextBytes(sent);
            Assert.True(producer.TryWrite(sent));
            Assert.True(consumer.TryRead(out byte[]? got));
            Assert.Equal(sent, got);
        }
    }

    [Fact]
    public async Task A_message_larger_than_the_room_left_waits_and_then_appears_whole()
    {
        using ShmChannel<string> channel = Open<string>("grow");
        using Producer<string> producer = channel.CreateProducer();
        using Consumer<string> consumer = channel.CreateConsumer();
        string small = new('s', 90);
        string large = string.Concat(Enumerable.Range(0, 500).Select(i => i.ToString("D4", CultureInfo.InvariantCulture)))[..1_900];
        int written = 0;
        while (producer.TryWrite(small))
        {
            written++;
        }

        Assert.True(consumer.TryRead(out _)); // room for some of the large one, not for all of it
        Assert.True(consumer.TryRead(out _));
        Assert.False(producer.TryWrite(large));
        Assert.False(producer.TryWrite(large));
        Assert.Equal(written - 2, consumer.Count);
        Task writing = producer.WriteAsync(large).AsTask();
        for (int i = 2; i < written; i++)
        {
            Assert.Equal(small, consumer.Read(_soon));
        }

        Assert.Equal(large, consumer.Read(_soon));
        await writing.WaitAsync(_soon);
    }

    [Fact]
    public void A_long_text_fits_although_its_serializer_asks_for_three_times_its_bytes()
    {
        using ShmChannel<string> channel = Open<string>("text", 65_536);
        using Producer<string> producer = channel.CreateProducer();
        using Consumer<string> consumer = channel.CreateConsumer();
        string text = new('t', channel.MaxMessageBytes - 8);
        Assert.True(producer.TryWrite(text));
        Assert.Equal(text, consumer.Read(_soon));
    }

    [Fact]
    public void A_message_too_large_is_refused_whole_and_the_producer_goes_on()
    {
        using ShmChannel<byte[]> channel = Open<byte[]>("large");
        using Producer<byte[]> producer = channel.CreateProducer();
        using Consumer<byte[]> consumer = channel.CreateConsumer();
        foreach (int bytes in new[] { channel.MaxMessageBytes - 2, 5_000, 50_000, 5_000_000 })
        {
            ShmMessageTooLargeException refused = Assert.Throws<ShmMessageTooLargeException>(() => producer.TryWrite(new byte[bytes]));
            Assert.Equal(channel.MaxMessageBytes, refused.MaxMessageBytes);
            Assert.Contains("LaneCapacityBytes", refused.Message, StringComparison.Ordinal);
        }

        using ShmChannel<List<string>> pieces = ShmChannel.CreateOrOpen<List<string>>("pieces", Options());
        using Producer<List<string>> many = pieces.CreateProducer();
        Assert.Throws<ShmMessageTooLargeException>(() => many.TryWrite([.. Enumerable.Repeat("piece by piece", 10_000)]));
        Assert.True(many.TryWrite(["fits"]));
        Assert.Equal(0, consumer.Count);
        Assert.True(producer.TryWrite(new byte[channel.MaxMessageBytes - 3])); // MessagePack adds 3
        Assert.True(consumer.TryRead(out _));
    }

    [Fact]
    public void An_undecodable_message_is_reported_with_its_place_and_skipped()
    {
        using ShmByteChannel bytes = ShmByteChannel.CreateOrOpen("mixed", Options());
        using ByteProducer producer = bytes.CreateProducer();
        producer.Write(MessagePackSerializer.Serialize("good"));
        producer.Write([0xC1, 0xC1]); // never used by MessagePack
        producer.Write([]);
        producer.Write([.. MessagePackSerializer.Serialize("good"), 0]); // something behind it
        producer.Write([0xDB, 0x7F, 0xFF, 0xFF, 0xFF, 1]); // a text of 2 GiB
        producer.Write([0xDD, 0x7F, 0xFF, 0xFF, 0xFF, 1]); // a list of 2 G elements
        producer.Write(MessagePackSerializer.Serialize("last"));
        using ShmChannel<string> channel = ShmChannel.Open("mixed", new Renamed<string>("bytes"), Options());
        using Consumer<string> consumer = channel.CreateConsumer();
        Assert.Equal("good", consumer.Read(_soon));
        long position = 16;
        for (int i = 1; i <= 5; i++)
        {
            ShmPayloadException refused = Assert.Throws<ShmPayloadException>(() => consumer.TryRead(out _));
            Assert.Equal(0, refused.Lane);
            Assert.Equal(position, refused.Position);
            Assert.NotNull(refused.InnerException);
            Assert.Contains($"Message {i} of lane 0", refused.Message, StringComparison.Ordinal);
            position += i == 2 ? 8 : 16;
        }

        Assert.Equal("last", consumer.Read(_soon));
        Assert.False(consumer.TryRead(out _));
    }

    [Fact]
    public void Another_message_type_is_refused_at_open()
    {
        using ShmChannel<Quote> quotes = Open<Quote>("quotes");
        ShmRegionFormatException refused = Assert.Throws<ShmRegionFormatException>(() => Open<Point>("quotes"));
        Assert.Contains(typeof(Quote).ToString(), refused.Message, StringComparison.Ordinal);
        Assert.Contains(typeof(Point).ToString(), refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("at once")]
    [InlineData("after some bytes")]
    [InlineData("after many bytes")]
    public void A_serializer_that_throws_leaves_nothing_behind_and_the_producer_usable(string when)
    {
        using ShmChannel<string> channel = ShmChannel.CreateOrOpen("throwing", new Throwing(), Options());
        using Producer<string> producer = channel.CreateProducer();
        using Consumer<string> consumer = channel.CreateConsumer();
        producer.Write("before");
        Assert.Throws<FormatException>(() => producer.TryWrite(when));
        Assert.Throws<FormatException>(() => producer.Write(when));
        ValueTask failing = producer.WriteAsync(when);
        Assert.True(failing.IsFaulted);
        Assert.Equal(1, consumer.Count);
        producer.Write("behind");
        Assert.Equal("before", consumer.Read(_soon));
        Assert.Equal("behind", consumer.Read(_soon));
        Assert.False(consumer.TryRead(out _));
    }

    [Fact]
    public void A_serializer_that_keeps_its_destination_can_no_longer_write_into_the_lane()
    {
        Keeping keeping = new();
        using ShmChannel<int> channel = ShmChannel.CreateOrOpen("keeping", keeping, Options());
        using Producer<int> producer = channel.CreateProducer();
        using Consumer<int> consumer = channel.CreateConsumer();
        producer.Write(1);
        keeping.Destination!.GetSpan(16)[..16].Fill(0xEE);
        Assert.Equal(1, consumer.Read(_soon));
        producer.Write(2);
        Assert.Equal(2, consumer.Read(_soon));
        Assert.False(consumer.TryRead(out _));
    }

    [Fact]
    public async Task Threads_share_one_producer_and_one_consumer()
    {
        const int threads = 3;
        const int each = 20_000;
        using ShmChannel<int> channel = Open<int>("shared");
        using Producer<int> producer = channel.CreateProducer();
        using Consumer<int> consumer = channel.CreateConsumer();
        int[] seen = new int[threads * each];
        Task[] writing = [.. Enumerable.Range(0, threads).Select(thread => OwnThread.Run(() =>
        {
            for (int i = 0; i < each; i++)
            {
                producer.Write((thread * each) + i, _soon);
            }
        }))];
        Task[] reading = [.. Enumerable.Range(0, threads).Select(_ => OwnThread.Run(() =>
        {
            while (consumer.WaitToRead(_soon))
            {
                while (consumer.TryRead(out int number))
                {
                    seen[number]++; // each number is read by one thread only, or the test fails below
                }
            }
        }))];
        await Task.WhenAll(writing).WaitAsync(3 * _soon);
        producer.TryComplete();
        await Task.WhenAll(reading).WaitAsync(_soon);
        Assert.All(seen, times => Assert.Equal(1, times));
    }

    [Fact]
    public async Task Threads_share_one_producer_and_one_consumer_awaiting()
    {
        const int tasks = 4;
        const int each = 3_000;
        using ShmChannel<int> channel = Open<int>("awaiting");
        using Producer<int> producer = channel.CreateProducer();
        using Consumer<int> consumer = channel.CreateConsumer();
        int[] seen = new int[tasks * each];
        Task[] writing = [.. Enumerable.Range(0, tasks).Select(task => Task.Run(async () =>
        {
            for (int i = 0; i < each; i++)
            {
                await producer.WriteAsync((task * each) + i);
            }
        }))];
        Task[] reading = [.. Enumerable.Range(0, tasks).Select(_ => Task.Run(async () =>
        {
            await foreach (int number in consumer.ReadAllAsync())
            {
                seen[number]++;
            }
        }))];
        await Task.WhenAll(writing).WaitAsync(3 * _soon);
        producer.Complete();
        await Task.WhenAll(reading).WaitAsync(_soon);
        await consumer.Completion.WaitAsync(_soon);
        Assert.All(seen, times => Assert.Equal(1, times));
    }

    [Fact]
    public async Task Code_for_channels_works_unchanged()
    {
        using ShmChannel<Quote> channel = Open<Quote>("unchanged");
        using Producer<Quote> producer = channel.CreateProducer();
        using Consumer<Quote> consumer = channel.CreateConsumer();
        Task<decimal> summing = SumAsync(consumer);
        await ProduceAsync(producer, 5_000);
        Assert.Equal(Enumerable.Range(0, 5_000).Sum(), await summing.WaitAsync(_soon));

        static async Task ProduceAsync(ChannelWriter<Quote> writer, int count)
        {
            try
            {
                for (int i = 0; i < count; i++)
                {
                    while (await writer.WaitToWriteAsync())
                    {
                        if (writer.TryWrite(new Quote("X", i)))
                        {
                            break;
                        }
                    }
                }
            }
            finally
            {
                writer.Complete();
            }
        }

        static async Task<decimal> SumAsync(ChannelReader<Quote> reader)
        {
            decimal sum = 0;
            try
            {
                while (true)
                {
                    sum += (await reader.ReadAsync()).Price;
                }
            }
            catch (ChannelClosedException)
            {
                return sum;
            }
        }
    }

    [Fact]
    public async Task A_pending_read_and_a_pending_write_are_cancelled()
    {
        using ShmChannel<byte[]> channel = Open<byte[]>("cancel");
        using Producer<byte[]> producer = channel.CreateProducer();
        using Consumer<byte[]> consumer = channel.CreateConsumer();
        using CancellationTokenSource soon = new(TimeSpan.FromMilliseconds(20));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await consumer.ReadAsync(soon.Token)).WaitAsync(_soon);
        while (producer.TryWrite(new byte[100]))
        {
        }

        long count = consumer.Count;
        using CancellationTokenSource again = new(TimeSpan.FromMilliseconds(20));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await producer.WriteAsync(new byte[100], again.Token)).WaitAsync(_soon);
        using CancellationTokenSource third = new(TimeSpan.FromMilliseconds(20));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await producer.WaitToWriteAsync(third.Token)).WaitAsync(_soon);
        using CancellationTokenSource fourth = new(TimeSpan.FromMilliseconds(20));
        Assert.ThrowsAny<OperationCanceledException>(() => producer.Write(new byte[100], null, fourth.Token));
        Assert.Throws<TimeoutException>(() => producer.Write(new byte[100], TimeSpan.FromMilliseconds(20)));
        Assert.Throws<ArgumentOutOfRangeException>(() => producer.Write(new byte[100], TimeSpan.FromSeconds(-3)));
        Assert.Equal(count, consumer.Count);
    }

    public void Dispose() => _root.Dispose();

    private void Exchange<T>(T message, Action<T, T> check)
    {
        using ShmChannel<T> channel = Open<T>($"exchange-{Guid.NewGuid():N}");
        using Producer<T> producer = channel.CreateProducer();
        using Consumer<T> consumer = channel.CreateConsumer();
        Assert.True(producer.TryWrite(message));
        Assert.True(consumer.TryRead(out T? got));
        check(message, got);
        Assert.False(consumer.TryRead(out _));
    }

    private ShmChannel<T> Open<T>(string name, int capacityBytes = 4096) => ShmChannel.CreateOrOpen<T>(name, Options(capacityBytes));

    private ShmChannelOptions Options(int capacityBytes = 4096) => new() { Root = _root.Path, LaneCapacityBytes = capacityBytes };

    [MessagePackObject]
    public sealed class Person
    {
        [Key(0)]
        public string? Name { get; init; }

        [Key(1)]
        public int Age { get; init; }

        [Key(2)]
        public IReadOnlyList<string> Tags { get; init; } = [];
    }

    [MessagePackObject]
    public sealed record Quote([property: Key(0)] string Symbol, [property: Key(1)] decimal Price);

    [MessagePackObject]
    public readonly record struct Point([property: Key(0)] int X, [property: Key(1)] int Y);

    private sealed class Throwing : IPayloadSerializer<string>
    {
        public string Format => "throwing";

        public void Serialize(IBufferWriter<byte> destination, string value)
        {
            int bytes = value switch { "at once" => 0, "after some bytes" => 40, "after many bytes" => 1_900, _ => -1 };
            for (int i = 0; i < bytes; i++)
            {
                destination.GetSpan(1)[0] = 0xFF;
                destination.Advance(1);
            }

            if (bytes >= 0)
            {
                throw new FormatException("by intent");
            }

            Encoding.UTF8.GetBytes(value, destination);
        }

        public string Deserialize(ReadOnlyMemory<byte> payload) => Encoding.UTF8.GetString(payload.Span);
    }

    private sealed class Keeping : IPayloadSerializer<int>
    {
        public string Format => "keeping";

        public IBufferWriter<byte>? Destination { get; private set; }

        public void Serialize(IBufferWriter<byte> destination, int value)
        {
            Destination = destination;
            BitConverter.TryWriteBytes(destination.GetSpan(4), value);
            destination.Advance(4);
        }

        public int Deserialize(ReadOnlyMemory<byte> payload) => BitConverter.ToInt32(payload.Span);
    }

    /// <summary>MessagePack under another format's name, so that a test can write arbitrary bytes into its channel.</summary>
    private sealed class Renamed<T>(string format) : IPayloadSerializer<T>
    {
        private readonly MessagePackPayload<T> _inner = new(MessagePackSerializerOptions.Standard);

        public string Format => format;

        public void Serialize(IBufferWriter<byte> destination, T value) => _inner.Serialize(destination, value);

        public T Deserialize(ReadOnlyMemory<byte> payload) => _inner.Deserialize(payload);
    }
}
