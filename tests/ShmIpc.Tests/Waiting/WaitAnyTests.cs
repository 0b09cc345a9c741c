using System.Diagnostics;
using ShmIpc.Channels;
using ShmIpc.Waiting;
using Xunit;

namespace ShmIpc.Tests.Waiting;

/// <summary>WaitAny and WaitAnyAsync: what ends one ends the other, so most tests try both.</summary>
public sealed class WaitAnyTests(ITestOutputHelper output) : IDisposable
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _short = TimeSpan.FromMilliseconds(30);
    private readonly ITestOutputHelper _output = output;
    private readonly ScratchRoot _root = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_finds_the_one_that_has_a_message_among_consumers_of_all_kinds(bool isAsync)
    {
        using ShmByteChannel bytes = Open("bytes");
        using ShmChannel<string> text = ShmChannel.CreateOrOpen<string>("text", Options());
        using ShmChannel<long> numbers = ShmChannel.CreateOrOpen<long>("numbers", Options());
        using ByteConsumer bytesConsumer = bytes.CreateConsumer();
        using Consumer<string> textConsumer = text.CreateConsumer();
        using Consumer<long> numbersConsumer = numbers.CreateConsumer();
        using Consumer<long> sameChannel = numbers.CreateConsumer();
        using ByteProducer bytesProducer = bytes.CreateProducer();
        using Producer<string> textProducer = text.CreateProducer();
        using Producer<long> numbersProducer = numbers.CreateProducer();
        IShmConsumer[] all = [bytesConsumer, textConsumer, numbersConsumer, sameChannel];
        for (int i = 0; i < 200; i++)
        {
            Task<int> wait = Wait(isAsync, all, default);
            switch (i % 3)
            {
                case 0:
                    bytesProducer.Write([(byte)i]);
                    Assert.Equal(0, await wait.WaitAsync(_bound));
                    Assert.True(bytesConsumer.TryRead(out _));
                    break;
                case 1:
                    textProducer.Write($"{i}");
                    Assert.Equal(1, await wait.WaitAsync(_bound));
                    Assert.True(textConsumer.TryRead(out string? said));
                    Assert.Equal($"{i}", said);
                    break;
                default:
                    numbersProducer.Write(i);
                    Assert.InRange(await wait.WaitAsync(_bound), 2, 3);
                    Assert.True(numbersConsumer.TryRead(out long number));
                    Assert.Equal(i, number);
                    Assert.Equal(3, await Wait(isAsync, all, default).WaitAsync(_bound));
                    Assert.True(sameChannel.TryRead(out _));
                    break;
            }
        }
    }

    [Theory]
    [InlineData(WaitStrategy.Park)]
    [InlineData(WaitStrategy.Adaptive)]
    [InlineData(WaitStrategy.BusySpin)]
    public void When_nothing_comes_in_time_it_says_so_and_not_before(WaitStrategy strategy)
    {
        using ShmByteChannel channel = Open("idle", strategy);
        using ByteConsumer first = channel.CreateConsumer();
        using ByteConsumer second = channel.CreateConsumer();
        Assert.Equal(-1, ShmChannel.WaitAny([first, second], TimeSpan.Zero));
        long start = Stopwatch.GetTimestamp();
        Assert.Equal(-1, ShmChannel.WaitAny([first, second, first], 3 * _short));
        Assert.InRange(Stopwatch.GetElapsedTime(start), 3 * _short, _bound);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Cancelling_ends_it(bool isAsync)
    {
        using ShmByteChannel channel = Open("cancel");
        using ByteConsumer first = channel.CreateConsumer();
        using ByteConsumer second = channel.CreateConsumer();
        using ByteProducer producer = channel.CreateProducer();
        for (int i = 0; i < 20; i++)
        {
            using CancellationTokenSource cancel = new();
            Task<int> wait = Wait(isAsync, [first, second], cancel.Token);
            if (i % 2 == 0)
            {
                await Task.Delay(1); // it sleeps by now, most often
            }

            await cancel.CancelAsync();
            OperationCanceledException error =
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait.WaitAsync(_bound));
            Assert.Equal(cancel.Token, error.CancellationToken);
        }

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Wait(isAsync, [first], new CancellationToken(true)).WaitAsync(_bound));
        producer.Write("x"u8);
        Assert.InRange(await Wait(isAsync, [first, second], default).WaitAsync(_bound), 0, 1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_completed_channel_is_found_and_its_completion_is_done(bool isAsync)
    {
        using ShmByteChannel open = Open("open");
        using ShmByteChannel completed = Open("completed");
        using ByteConsumer reading = open.CreateConsumer();
        using ByteConsumer ending = completed.CreateConsumer();
        using ByteConsumer failing = completed.CreateConsumer();
        using ByteProducer producer = completed.CreateProducer();
        Task<int> wait = Wait(isAsync, [reading, ending], default);
        Assert.True(producer.TryComplete(new InvalidOperationException("out of paper")));
        Assert.Equal(1, await wait.WaitAsync(_bound));
        Assert.False(ending.TryRead(out _));
        await Assert.ThrowsAsync<ShmRemoteException>(() => ending.Completion.WaitAsync(_bound));
        Assert.Equal(0, await Wait(isAsync, [failing, reading], default).WaitAsync(_bound));
        Assert.True(failing.Completion.IsFaulted);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Disposing_one_or_deleting_its_channel_is_an_exception(bool isAsync)
    {
        using ShmByteChannel channel = Open("stays");
        using ShmByteChannel deleted = Open("deleted");
        using ByteConsumer lasting = channel.CreateConsumer();
        ByteConsumer disposed = channel.CreateConsumer();
        using ByteConsumer orphan = deleted.CreateConsumer();
        Task<int> wait = Wait(isAsync, [lasting, disposed], default);
        await Task.Delay(_short);
        Assert.False(wait.IsCompleted);
        disposed.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => wait.WaitAsync(_bound));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => Wait(isAsync, [lasting, disposed], default).WaitAsync(_bound));
        wait = Wait(isAsync, [lasting, orphan], default);
        await Task.Delay(_short);
        Assert.True(ShmChannel.Delete("deleted", _root.Path));
        await Assert.ThrowsAsync<ShmRegionDeletedException>(() => wait.WaitAsync(_bound));
        await Assert.ThrowsAsync<ShmRegionDeletedException>(() => Wait(isAsync, [lasting, orphan], default).WaitAsync(_bound));
    }

    [Fact]
    public async Task No_consumers_and_too_many_are_refused()
    {
        using ShmByteChannel channel = Open("many");
        using ByteConsumer consumer = channel.CreateConsumer();
        using ByteProducer producer = channel.CreateProducer();
        Assert.Throws<ArgumentException>(() => ShmChannel.WaitAny([], _short));
        await Assert.ThrowsAsync<ArgumentException>(async () => await ShmChannel.WaitAnyAsync([]));
        Assert.Throws<ArgumentNullException>(() => ShmChannel.WaitAny([consumer, null!], _short));
        Assert.Throws<ArgumentOutOfRangeException>(() => ShmChannel.WaitAny([consumer], TimeSpan.FromMilliseconds(-5)));
        Assert.Contains(
            "127", Assert.Throws<ArgumentException>(() => ShmChannel.WaitAny(Enumerable.Repeat<IShmConsumer>(consumer, 128).ToArray(), _short)).Message);
        Assert.Equal(-1, ShmChannel.WaitAny(Enumerable.Repeat<IShmConsumer>(consumer, 127).ToArray(), _short));
        ValueTask<int> wait = ShmChannel.WaitAnyAsync(Enumerable.Repeat<IShmConsumer>(consumer, 300).ToArray());
        producer.Write("x"u8);
        Assert.InRange(await wait.AsTask().WaitAsync(_bound), 0, 299);
    }

    [Fact]
    public async Task One_that_always_has_a_message_does_not_hide_the_others()
    {
        using ShmByteChannel channel = Open("fair");
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer busy = channel.CreateConsumer();
        using ByteConsumer patient = channel.CreateConsumer();
        using ByteConsumer last = channel.CreateConsumer();
        producer.Write("x"u8);
        HashSet<int> found = [];
        for (int i = 0; i < 1000 && found.Count < 3; i++)
        {
            found.Add(ShmChannel.WaitAny([busy, patient, last], _bound));
        }

        Assert.Equal(3, found.Count);
        found.Clear();
        for (int i = 0; i < 1000 && found.Count < 3; i++)
        {
            found.Add(await ShmChannel.WaitAnyAsync([busy, patient, last]));
        }

        Assert.Equal(3, found.Count);
    }

    // Every wait sleeps. Were a wake-up lost, its bounded park would find it 50 ms later.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_wake_up_is_lost_among_many_channels(bool isAsync)
    {
        const int rounds = 3000;
        const int channels = 30;
        const double ShareOfPark = 0.5;
        List<ShmByteChannel> opened = [.. Enumerable.Range(0, channels).Select(i => Open($"c{i}", WaitStrategy.Park))];
        List<ByteProducer> producers = [.. opened.Select(channel => channel.CreateProducer())];
        ByteConsumer[] consumers = [.. opened.Select(channel => channel.CreateConsumer())];
        using SemaphoreSlim next = new(0);
        Random random = new(1);
        RoundTimes times = new();
        int written = 0; // the channel of this round, and -1 when there are no more
        Task writing = OwnThread.Run(() =>
        {
            do
            {
                int channel = random.Next(channels);
                Volatile.Write(ref written, channel);
                producers[channel].Write([(byte)channel]);
                Assert.True(next.Wait(_bound));
            }
            while (Volatile.Read(ref written) >= 0);
        });
        Task reading = OwnThread.Run(() =>
        {
            for (bool isOver = false; !isOver; next.Release())
            {
                int found = isAsync
                    ? ShmChannel.WaitAnyAsync(consumers).AsTask().WaitAsync(_bound).GetAwaiter().GetResult()
                    : ShmChannel.WaitAny(consumers, _bound);
                Assert.Equal(Volatile.Read(ref written), found);
                Assert.True(consumers[found].TryRead(out _));
                times.EndRound();
                isOver = !times.IsWorthARound(rounds, ShareOfPark);
                if (isOver)
                {
                    Volatile.Write(ref written, -1);
                }
            }
        });
        await Task.WhenAll(writing, reading).WaitAsync(5 * _bound);
        _output.WriteLine($"{times}");
        Assert.True(times.ShowWakeUps(ShareOfPark), $"{times}");
        producers.ForEach(producer => producer.Dispose());
        Array.ForEach(consumers, consumer => consumer.Dispose());
        opened.ForEach(channel => channel.Dispose());
    }

    [Fact]
    public async Task Many_that_await_the_same_consumers_while_they_are_cancelled_all_end_once()
    {
        const int loops = 20;
        const int rounds = 100;
        List<ShmByteChannel> opened = [.. Enumerable.Range(0, 5).Select(i => Open($"shared{i}"))];
        List<ByteProducer> producers = [.. opened.Select(channel => channel.CreateProducer())];
        IShmConsumer[] consumers = [.. opened.Select(channel => channel.CreateConsumer())];
        bool isDone = false;
        int found = 0;
        int cancelled = 0;
        Task writing = OwnThread.Run(() =>
        {
            Random random = new(7);
            while (!Volatile.Read(ref isDone))
            {
                int channel = random.Next(5);
                _ = producers[channel].TryWrite("x"u8);
                Thread.Sleep(random.Next(2)); // long enough to be found
                _ = ((ByteConsumer)consumers[channel]).TryRead(out _);
                Thread.Sleep(random.Next(2)); // and to be missed
            }
        });
        await Task.WhenAll(Enumerable.Range(0, loops).Select(loop => Task.Run(async () =>
        {
            for (int round = 0; round < rounds;)
            {
                using CancellationTokenSource cancel = new();
                ValueTask<int> wait = ShmChannel.WaitAnyAsync(consumers, cancel.Token);
                if (wait.IsCompleted)
                {
                    _ = await wait;
                    await Task.Delay(1);
                    continue; // only those count that have to wait
                }

                round++;
                if ((round + loop) % 2 == 0)
                {
                    cancel.Cancel();
                }

                try
                {
                    Assert.InRange(await wait, 0, consumers.Length - 1);
                    Interlocked.Increment(ref found);
                }
                catch (OperationCanceledException)
                {
                    Interlocked.Increment(ref cancelled);
                }
            }
        }))).WaitAsync(_bound);
        Volatile.Write(ref isDone, true);
        await writing.WaitAsync(_bound);
        _output.WriteLine($"{found} found one, {cancelled} were cancelled");
        Assert.Equal(loops * rounds, found + cancelled);
        Assert.True(found > 0 && cancelled > 0);
        producers.ForEach(producer => producer.Dispose());
        Array.ForEach(consumers, consumer => consumer.Dispose());
        opened.ForEach(channel => channel.Dispose());
    }

    public void Dispose() => _root.Dispose();

    private static Task<int> Wait(bool isAsync, IShmConsumer[] consumers, CancellationToken cancellation) => isAsync
        ? ShmChannel.WaitAnyAsync(consumers, cancellation).AsTask()
        : OwnThread.Run(() => ShmChannel.WaitAny(consumers, _bound, cancellation));

    private ShmChannelOptions Options(WaitStrategy strategy = WaitStrategy.Adaptive) =>
        new() { Root = _root.Path, LaneCapacityBytes = 4096, MaxProducers = 2, WaitStrategy = strategy };

    private ShmByteChannel Open(string name, WaitStrategy strategy = WaitStrategy.Adaptive) =>
        ShmByteChannel.CreateOrOpen(name, Options(strategy));
}
