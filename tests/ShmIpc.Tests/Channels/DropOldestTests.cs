// DropOldest: producers wait for nobody, and a consumer that was too slow knows how much it lost. Observers: the same, on any channel.

using System.Runtime.InteropServices;
using ShmIpc.Channels;
using Xunit;

namespace ShmIpc.Tests.Channels;

public sealed class DropOldestTests : IDisposable
{
    private static readonly TimeSpan _soon = TimeSpan.FromSeconds(60);
    private readonly ScratchRoot _root = new();

    [Fact]
    public void A_consumer_that_was_overrun_knows_its_loss_and_goes_on_with_the_oldest()
    {
        using ShmByteChannel channel = Open(ShmFullMode.DropOldest);
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer consumer = channel.CreateConsumer();
        for (long i = 0; i < 10_000; i++)
        {
            Assert.True(producer.TryWrite(Message(i)));
        }

        long left = consumer.Count;
        Assert.InRange(left, 100, 4096 / 24);
        Assert.Equal(10_000, left + consumer.LostMessages);
        for (long i = 10_000 - left; i < 10_000; i++)
        {
            Assert.True(consumer.TryRead(out ShmRecord record));
            Assert.Equal((i, i), (record.Sequence, Number(record)));
        }

        Assert.False(consumer.TryRead(out _));
        Assert.Equal((0, 10_000 - left), (consumer.Count, consumer.LostMessages));
        Assert.Equal((1, 0), (channel.ConsumerCount, channel.DroppedMessages));
    }

    [Fact]
    public void A_group_that_starts_behind_the_newest_message_starts_there_for_its_stand_by_too()
    {
        using ShmByteChannel channel = Open(ShmFullMode.DropOldest);
        using ByteProducer producer = channel.CreateProducer();
        for (long i = 0; i < 10_000; i++) // many laps
        {
            producer.Write(Message(i));
        }

        ConsumerOptions latest = new() { Group = "late", Start = StartPosition.Latest };
        ByteConsumer active = channel.CreateConsumer(latest);
        using ByteConsumer standBy = channel.CreateConsumer(latest);
        Assert.Equal(0, Assert.Single(channel.Groups).Lag);
        producer.Write(Message(10_000));
        active.Dispose(); // without having looked
        Assert.Equal(10_000, Number(standBy.Read(_soon)));
        Assert.Equal((0, 0), (standBy.Count, standBy.LostMessages));
    }

    [Fact]
    public void A_record_in_hand_stays_whole_while_the_producer_laps_it()
    {
        using ShmByteChannel channel = Open(ShmFullMode.DropOldest);
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer consumer = channel.CreateConsumer();
        producer.Write(Message(77));
        ShmRecord record = consumer.Read(_soon);
        for (long i = 0; i < 1000; i++)
        {
            producer.Write(Message(i));
        }

        Assert.Equal(77, Number(record));
    }

    [Fact]
    public async Task Typed_consumers_lose_count_wait_and_complete()
    {
        using ShmChannel<string> channel = ShmChannel.Create<string>("typed", Options(ShmFullMode.DropOldest));
        using Producer<string> producer = channel.CreateProducer();
        using Consumer<string> consumer = channel.CreateConsumer();
        using Consumer<string> observer = channel.CreateObserver(StartPosition.Earliest);
        for (int i = 0; i < 1000; i++)
        {
            Assert.True(await producer.WaitToWriteAsync());
            await producer.WriteAsync($"{i:D40}");
        }

        foreach (Consumer<string> reader in (Consumer<string>[])[consumer, observer])
        {
            int next = 1000 - reader.Count;
            Assert.Equal(next, reader.LostMessages);
            while (reader.TryRead(out string? text))
            {
                Assert.Equal($"{next++:D40}", text);
            }

            Assert.Equal(1000, next);
        }

        Task<bool>[] pending = [consumer.WaitToReadAsync().AsTask(), observer.WaitToReadAsync().AsTask()];
        Assert.All(pending, task => Assert.False(task.IsCompleted));
        producer.Write("one more");
        Assert.True(await pending[0] && await pending[1]);
        Assert.Equal("one more", consumer.Read(_soon));
        Assert.Equal("one more", observer.Read(_soon));
        pending = [consumer.WaitToReadAsync().AsTask(), observer.WaitToReadAsync().AsTask()];
        producer.TryComplete();
        Assert.False(await pending[0] || await pending[1]);
        await Task.WhenAll(consumer.Completion, observer.Completion);
    }

    [Theory]
    [InlineData("consumer")]
    [InlineData("observer")]
    public async Task What_slow_readers_got_and_lost_is_what_fast_producers_published(string kind)
    {
        const int Producers = 3;
        using ShmByteChannel channel = Open(ShmFullMode.DropOldest);
        (long Read, long Lost)[] results = new (long, long)[2];
        ByteConsumer[] readers = [.. results.Select(_ =>
            kind == "consumer" ? channel.CreateConsumer() : channel.CreateObserver(StartPosition.Earliest))];
        Task[] reading = [.. readers.Select((reader, index) => OwnThread.Run(() =>
        {
            Random random = new(index);
            long[] next = new long[Producers];
            while (reader.WaitToRead(_soon))
            {
                while (reader.TryRead(out ShmRecord record))
                {
                    Assert.True(record.Sequence >= next[record.Lane]);
                    next[record.Lane] = record.Sequence + 1;
                    Check(record);
                    Volatile.Write(ref results[index].Read, results[index].Read + 1);
                    Volatile.Write(ref results[index].Lost, reader.LostMessages);
                    if (random.Next(200) == 0)
                    {
                        Thread.SpinWait(random.Next(20_000));
                    }

                    if (random.Next(100) == 0)
                    {
                        Assert.InRange(reader.Count, 0, Producers * 4096 / 8);
                    }
                }
            }

            Assert.True(reader.Completion.IsCompletedSuccessfully);
            results[index].Lost = reader.LostMessages;
        }))];
        ByteProducer[] producers = [.. Enumerable.Range(0, Producers).Select(_ => channel.CreateProducer())];
        Task<long>[] writing = [.. producers.Select(producer => OwnThread.Run(() =>
        {
            byte[] payload = new byte[2000];
            long start = Environment.TickCount64;
            long number = 0;

            // On a busy machine the readers may get little of it: the writers go on until each has read and lost enough.
            for (; Environment.TickCount64 - start is var ms && (ms < 3000 || (ms < 60_000 && !results.All(IsEnough))); number++)
            {
                Assert.True(producer.TryWrite(Fill(payload, producer.Lane, number)));
                if (number % 3000 == 0)
                {
                    Thread.Sleep(1); // readers catch up now and then
                }
            }

            producer.TryComplete();
            return number;
        }))];
        long published = (await Task.WhenAll(writing)).Sum();
        await Task.WhenAll(reading);
        Assert.All(results, result => Assert.Equal(published, result.Read + result.Lost));
        Assert.All(results, result => Assert.True(IsEnough(result), $"{result}"));
        foreach (IDisposable one in producers.Concat<IDisposable>(readers))
        {
            one.Dispose();
        }

        static bool IsEnough((long Read, long Lost) result) => result is { Read: > 1000, Lost: > 1000 };
    }

    [Fact]
    public void An_observer_holds_nobody_back_and_is_no_consumer()
    {
        using ShmByteChannel channel = Open(ShmFullMode.Wait, maxGroups: 1, maxParticipants: 3);
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer consumer = channel.CreateConsumer();
        using ByteConsumer observer = channel.CreateObserver(StartPosition.Earliest);
        Assert.Equal(1, channel.ConsumerCount);
        Assert.Contains("MaxParticipants",
            Assert.Throws<ShmLimitException>(() => channel.CreateObserver(StartPosition.Earliest)).Message, StringComparison.Ordinal);
        for (long i = 0; i < 5000; i++)
        {
            producer.Write(Message(i), _soon);
            Assert.Equal(i, Number(consumer.Read(_soon)));
        }

        long left = observer.Count;
        Assert.Equal(5000, left + observer.LostMessages);
        Assert.True(observer.LostMessages > 1000);
        Assert.Equal(0, consumer.LostMessages);
        for (long i = 5000 - left; i < 5000; i++)
        {
            Assert.Equal(i, Number(observer.Read(_soon)));
        }

        observer.Release();
        observer.Dispose();
        channel.CreateObserver(StartPosition.Latest).Dispose(); // the slot is free again
        Assert.Throws<ObjectDisposedException>(() => observer.TryRead(out _));
    }

    [Fact]
    public void An_observer_that_reads_does_not_wake_a_producer_that_waits_and_takes_nothing_from_a_consumer()
    {
        using ShmByteChannel channel = Open(ShmFullMode.Wait);
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer consumer = channel.CreateConsumer();
        using ByteConsumer observer = channel.CreateObserver(StartPosition.Earliest);
        long written = 0;
        while (producer.TryWrite(Message(written)))
        {
            written++;
        }

        for (long i = 0; i < written; i++)
        {
            Assert.Equal(i, Number(observer.Read(_soon)));
        }

        Assert.False(observer.TryRead(out _));
        Assert.False(producer.TryWrite(Message(written)));
        Assert.Equal((written, 0, 0), (consumer.Count, observer.Count, observer.LostMessages));
    }

    [Fact]
    public void A_latest_observer_starts_with_what_comes_next_in_every_lane()
    {
        using ShmByteChannel channel = Open(ShmFullMode.Wait);
        using ByteProducer first = channel.CreateProducer();
        for (long i = 0; i < 1000; i++)
        {
            first.Write(Message(i));
        }

        using ByteConsumer latest = channel.CreateObserver(StartPosition.Latest);
        using ByteConsumer earliest = channel.CreateObserver(StartPosition.Earliest);
        Assert.Equal((0, 0), (latest.Count, latest.LostMessages));
        Assert.True(earliest.Count > 0);
        Assert.Equal(0, earliest.LostMessages); // what was gone before it came is not its loss
        using ByteProducer second = channel.CreateProducer();
        second.Write(Message(5000));
        first.Write(Message(1000));
        Assert.Equal(2, latest.Count);
        Assert.Equal([1000, 5000], ((long[])[Number(latest.Read(_soon)), Number(latest.Read(_soon))]).Order());
        Assert.Throws<ArgumentOutOfRangeException>(() => channel.CreateObserver((StartPosition)2));
    }

    [Theory]
    [InlineData(ShmFullMode.DropOldest)]
    [InlineData(ShmFullMode.Wait)]
    public void A_batch_of_a_reader_that_may_be_overrun_is_one_copied_message(ShmFullMode mode)
    {
        using ShmByteChannel channel = Open(mode);
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer reader = mode == ShmFullMode.Wait
            ? channel.CreateObserver(StartPosition.Earliest)
            : channel.CreateConsumer();
        for (long i = 0; i < 10; i++)
        {
            producer.Write(Message(i));
        }

        for (long expected = 0; expected < 2; expected++)
        {
            using RecordBatch batch = reader.ReadBatch(100, _soon);
            Assert.Equal(1, batch.Count);
            for (long i = 0; i < 2000; i++)
            {
                producer.Write(Message(-1)); // laps it
            }

            foreach (ShmRecord record in batch)
            {
                Assert.Equal(expected == 0 ? 0 : -1, Number(record));
            }
        }

        Assert.True(reader.LostMessages > 1000);
    }

    [Fact]
    public void A_deleted_channel_ends_an_observers_wait()
    {
        using ShmByteChannel channel = Open(ShmFullMode.Wait);
        using ByteConsumer observer = channel.CreateObserver(StartPosition.Latest);
        ShmChannel.Delete("bytes", _root.Path);
        Assert.Throws<ShmRegionDeletedException>(() => observer.WaitToRead(_soon));
        Assert.Throws<ShmRegionDeletedException>(() => observer.TryRead(out _));
    }

    [Fact]
    public void Reading_copies_allocates_nothing_once_the_buffer_is_there()
    {
        using ShmByteChannel channel = Open(ShmFullMode.DropOldest);
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer consumer = channel.CreateConsumer();
        byte[] payload = new byte[1500];
        Exchange(1500);
        Assert.Equal(0, AllocatedBytes.Of(() => Exchange(50_000)));

        void Exchange(int count)
        {
            for (int i = 0; i < count; i++)
            {
                producer.Write(payload.AsSpan(0, i % 1500));
                consumer.Read();
            }
        }
    }

    public void Dispose() => _root.Dispose();

    private static byte[] Message(long number) => BitConverter.GetBytes((UInt128)number);

    private static long Number(ShmRecord record) => BitConverter.ToInt64(record.Payload);

    /// <summary>The bytes of a message follow from its lane and number, and so does its length.</summary>
    private static Span<byte> Fill(byte[] payload, int lane, long number)
    {
        Span<byte> message = payload.AsSpan(0, (number % 50 == 0 ? 1600 : (int)(number * 7 % 200)) & ~7);
        MemoryMarshal.Cast<byte, long>(message).Fill((number << 8) | (long)(uint)lane);
        return message;
    }

    private static void Check(ShmRecord record)
    {
        int expected = (record.Sequence % 50 == 0 ? 1600 : (int)(record.Sequence * 7 % 200)) & ~7;
        ReadOnlySpan<long> words = MemoryMarshal.Cast<byte, long>(record.Payload);
        Assert.True(
            record.Payload.Length == expected && words.IndexOfAnyExcept((record.Sequence << 8) | (long)(uint)record.Lane) < 0,
            $"message {record.Sequence} of lane {record.Lane} is torn or another one");
    }

    private ShmByteChannel Open(ShmFullMode mode, int? maxGroups = null, int? maxParticipants = null)
    {
        ShmChannelOptions options = Options(mode);
        (options.MaxGroups, options.MaxParticipants) = (maxGroups, maxParticipants);
        return ShmByteChannel.CreateOrOpen("bytes", options);
    }

    private ShmChannelOptions Options(ShmFullMode mode) => new()
    {
        Root = _root.Path,
        LaneCapacityBytes = 4096,
        FullMode = mode,
    };
}
