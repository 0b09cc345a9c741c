using System.Diagnostics;
using ShmIpc.Channels;
using ShmIpc.Interop;
using ShmIpc.Waiting;
using Xunit;

#pragma warning disable CA2012 // these tests look at pending tasks, which users should not

namespace ShmIpc.Tests.Waiting;

public sealed class AsyncHubTests(ITestOutputHelper output) : IDisposable
{
    private const double ShareOfPark = 0.25;
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(60);
    private readonly ITestOutputHelper _output = output;
    private readonly ScratchRoot _root = new();

    [Theory]
    [InlineData(5, 60)]
    [InlineData(20, 10)]
    [InlineData(200, 1)]
    [InlineData(300, 1)]
    public async Task Hundreds_of_awaiting_consumers_need_a_handful_of_threads_and_all_get_every_message(int channels, int consumersEach)
    {
        const int messages = 20;
        int atMost = Futex.IsWaitAnySupported ? 8 : HubThreads() + channels; // 8: other tests of this run await, too
        List<ShmByteChannel> opened = [.. Enumerable.Range(0, channels).Select(i => Open($"hub{i}"))];
        List<ByteConsumer> consumers =
            [.. opened.SelectMany(channel => Enumerable.Range(0, consumersEach).Select(_ => channel.CreateConsumer()))];
        List<Task<int>> counts = [.. consumers.Select(Count)];
        Assert.InRange(HubThreads(), 1, atMost);
        await Task.Delay(200);
        Assert.All(counts, count => Assert.False(count.IsCompleted));
        List<ByteProducer> producers = [.. opened.Select(channel => channel.CreateProducer())];
        for (int i = 0; i < messages; i++)
        {
            foreach (ByteProducer producer in producers)
            {
                await producer.WriteAsync(new byte[i]).AsTask().WaitAsync(_bound);
            }
        }

        producers.ForEach(producer => producer.TryComplete());
        Assert.All(await Task.WhenAll(counts).WaitAsync(_bound), count => Assert.Equal(messages, count));
        Assert.InRange(HubThreads(), 1, atMost);
        producers.ForEach(producer => producer.Dispose());
        consumers.ForEach(consumer => consumer.Dispose());
        opened.ForEach(channel => channel.Dispose());

        static async Task<int> Count(ByteConsumer consumer)
        {
            int next = 0;
            while (await consumer.WaitToReadAsync())
            {
                while (consumer.TryRead(out ShmRecord record))
                {
                    Assert.Equal(next++, record.Payload.Length);
                }
            }

            return next;
        }
    }

    [Fact]
    public async Task Two_thousand_awaits_that_end_in_every_way_at_random_end_once_and_for_their_own_reason()
    {
        const int awaits = 2000;
        int seed = Environment.GetEnvironmentVariable("SHMIPC_SEED") is { } given ? int.Parse(given) : Random.Shared.Next();
        _output.WriteLine($"SHMIPC_SEED={seed}");
        Random random = new(seed);
        (ShmByteChannel Channel, ByteProducer Producer, ByteConsumer[] Consumers)[] scene = [.. Enumerable.Range(0, 10).Select(i =>
        {
            ShmByteChannel channel = Open($"random{i}");
            return (channel, channel.CreateProducer(), Enumerable.Range(0, 20).Select(_ => channel.CreateConsumer()).ToArray());
        })];
        CancellationTokenSource[] cancels = [.. Enumerable.Range(0, 50).Select(_ => new CancellationTokenSource())];
        HashSet<object> ended = [];
        int ends = 0;
        List<Task> pending = [];
        for (int i = 0; i < awaits; i++)
        {
            int channel = random.Next(scene.Length);
            ByteConsumer consumer = scene[channel].Consumers[random.Next(20)];
            CancellationTokenSource? cancel = random.Next(2) == 0 ? cancels[random.Next(cancels.Length)] : null;
            pending.Add(Await(consumer.WaitToReadAsync(cancel?.Token ?? default), consumer, cancel, scene[channel].Channel));
        }

        Task[] threads = [.. Enumerable.Range(0, 2).Select(_ => random.Next()).Select(of => OwnThread.Run(() => Disturb(new Random(of))))];
        await Task.WhenAll(threads).WaitAsync(_bound);
        for (int i = 0; i < scene.Length; i++)
        {
            if (random.Next(2) == 0)
            {
                scene[i].Producer.TryComplete();
            }
            else
            {
                End(scene[i].Channel);
                Assert.True(ShmChannel.Delete(scene[i].Channel.Name, _root.Path));
            }
        }

        await Task.WhenAll(pending).WaitAsync(_bound);
        Assert.Equal(awaits, ends);
        foreach ((ShmByteChannel channel, ByteProducer producer, ByteConsumer[] consumers) in scene)
        {
            Array.ForEach(consumers, consumer => consumer.Dispose());
            producer.Dispose();
            channel.Dispose();
        }

        Array.ForEach(cancels, cancel => cancel.Dispose());

        void End(object what)
        {
            lock (ended)
            {
                ended.Add(what);
            }
        }

        bool HasEnded(object? what)
        {
            lock (ended)
            {
                return what is not null && ended.Contains(what);
            }
        }

        async Task Await(ValueTask<bool> wait, ByteConsumer consumer, CancellationTokenSource? cancel, ShmByteChannel channel)
        {
            try
            {
                _ = await wait;
            }
            catch (OperationCanceledException error)
            {
                Assert.True(HasEnded(cancel));
                Assert.Equal(cancel!.Token, error.CancellationToken);
            }
            catch (ObjectDisposedException)
            {
                Assert.True(HasEnded(consumer));
            }
            catch (ShmRegionDeletedException)
            {
                Assert.True(HasEnded(channel));
            }

            Interlocked.Increment(ref ends);
        }

        void Disturb(Random own)
        {
            for (int i = 0; i < 150; i++)
            {
                (ShmByteChannel channel, ByteProducer producer, ByteConsumer[] consumers) = scene[own.Next(scene.Length)];
                switch (own.Next(4))
                {
                    case 0:
                        _ = producer.TryWrite("x"u8);
                        break;
                    case 1:
                        CancellationTokenSource cancel = cancels[own.Next(cancels.Length)];
                        End(cancel);
                        cancel.Cancel();
                        break;
                    case 2:
                        ByteConsumer consumer = consumers[own.Next(consumers.Length)];
                        End(consumer);
                        consumer.Dispose();
                        break;
                    default:
                        Thread.Sleep(own.Next(2));
                        break;
                }
            }
        }
    }

    // Everybody's awaits share the doorbell of the first. Were a wake-up lost when it leaves, its bounded park would find it 50 ms later.
    [Fact]
    public async Task When_the_one_whose_doorbell_all_share_leaves_the_others_are_still_woken()
    {
        const int rounds = 600;
        RoundTimes times = new();
        using ShmByteChannel channel = Open("lead");
        using ShmByteChannel elsewhere = Open("lead"); // as another process: it takes the slots that become free
        using ByteProducer producer = channel.CreateProducer();
        while (times.IsWorthARound(rounds, ShareOfPark))
        {
            ByteConsumer lead = Drained(channel);
            using ByteConsumer lasting = Drained(channel); // as the last of its round it makes the hub let go, so the next lead is new
            ValueTask<bool> leads = lead.WaitToReadAsync();
            ValueTask<bool> wait = lasting.WaitToReadAsync();
            Assert.False(wait.IsCompleted);
            lead.Dispose();
            await Assert.ThrowsAsync<ObjectDisposedException>(async () => await leads).WaitAsync(_bound);
            using ByteConsumer heir = Drained(elsewhere);
            Task<bool> heirs = heir.WaitToReadAsync().AsTask();
            Thread.Sleep(1); // by now the hub sleeps on another doorbell, most often
            producer.Write("x"u8);
            Assert.True(await wait.AsTask().WaitAsync(_bound));
            Assert.True(lasting.TryRead(out _));
            Assert.True(await heirs.WaitAsync(_bound));
            times.EndRound();
        }

        _output.WriteLine($"{times}");
        Assert.True(times.ShowWakeUps(ShareOfPark), $"{times}");

        static ByteConsumer Drained(ShmByteChannel channel)
        {
            ByteConsumer consumer = channel.CreateConsumer();
            while (consumer.TryRead(out _))
            {
            }

            return consumer;
        }
    }

    // The hub sleeps on somebody else's doorbell then. Were it left to the regular look, a round would take 25 ms.
    [Fact]
    public async Task Disposing_and_cancelling_end_an_await_at_once_when_the_shared_doorbell_is_another_ones()
    {
        const int rounds = 400;
        RoundTimes times = new();
        using ShmByteChannel channel = Open("follower");
        using ByteConsumer lasting = channel.CreateConsumer();
        using ByteProducer producer = channel.CreateProducer();
        ValueTask<bool> wait = lasting.WaitToReadAsync();
        while (times.IsWorthARound(rounds, ShareOfPark))
        {
            ByteConsumer follower = channel.CreateConsumer();
            using CancellationTokenSource cancel = new();
            Task<bool> cancelled = follower.WaitToReadAsync(cancel.Token).AsTask();
            Task<bool> disposed = follower.WaitToReadAsync().AsTask();
            cancel.Cancel();
            await Assert.ThrowsAsync<OperationCanceledException>(() => cancelled.WaitAsync(_bound));
            follower.Dispose();
            await Assert.ThrowsAsync<ObjectDisposedException>(() => disposed.WaitAsync(_bound));
            times.EndRound();
        }

        _output.WriteLine($"{times}");
        Assert.True(times.ShowWakeUps(ShareOfPark), $"{times}");
        Assert.False(wait.IsCompleted);
        producer.Write("x"u8);
        Assert.True(await wait.AsTask().WaitAsync(_bound));
    }

    [Fact]
    public async Task Readers_and_writers_of_one_attachment_await_at_the_same_doorbell()
    {
        const int messages = 20_000;
        using ShmByteChannel channel = Open("both");
        using ByteProducer producer = channel.CreateProducer();
        ByteConsumer[] consumers = [.. Enumerable.Range(0, 3).Select(_ => channel.CreateConsumer())];
        Task<int>[] reading = [.. consumers.Select(consumer => Task.Run(async () =>
        {
            int count = 0;
            while (await consumer.WaitToReadAsync())
            {
                while (consumer.TryRead(out _))
                {
                    count++;
                }
            }

            return count;
        }))];
        byte[] payload = new byte[300]; // a dozen fill the lane
        int awaited = 0;
        await Task.Run(async () =>
        {
            for (int i = 0; i < messages; i++)
            {
                ValueTask write = producer.WriteAsync(payload);
                awaited += write.IsCompleted ? 0 : 1;
                await write;
            }

            Assert.True(producer.TryComplete());
        }).WaitAsync(_bound);
        Assert.All(await Task.WhenAll(reading).WaitAsync(_bound), count => Assert.Equal(messages, count));
        Assert.True(awaited > 100, $"{awaited} writes had to wait");
        Array.ForEach(consumers, consumer => consumer.Dispose());
    }

    // After the last await the hub holds the memory no longer than it takes to notice.
    [Fact]
    public async Task A_disposed_channel_is_unmapped_after_its_awaits()
    {
        Open("unmapped").Dispose(); // the maps of who creates a region know it by its number
        ShmByteChannel channel = Open("unmapped");
        ByteConsumer first = channel.CreateConsumer();
        ByteConsumer second = channel.CreateConsumer();
        using (ByteProducer producer = channel.CreateProducer())
        {
            Task<bool>[] waits = [first.WaitToReadAsync().AsTask(), second.WaitToReadAsync().AsTask()];
            producer.Write("x"u8);
            Assert.All(await Task.WhenAll(waits).WaitAsync(_bound), Assert.True);
        }

        Assert.True(IsMapped());
        first.Dispose();
        second.Dispose();
        channel.Dispose();
        long start = Stopwatch.GetTimestamp();
        while (IsMapped())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < _bound);
            await Task.Delay(1);
        }

        bool IsMapped() => File.ReadAllText("/proc/self/maps").Contains(_root.FileOf("unmapped"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_await_is_cancelled_at_once_and_the_next_one_works()
    {
        using ShmByteChannel channel = Open("cancel");
        using ByteConsumer consumer = channel.CreateConsumer();
        using ByteProducer producer = channel.CreateProducer();
        for (int i = 0; i < 50; i++)
        {
            using CancellationTokenSource cancel = new();
            ValueTask<bool> wait = consumer.WaitToReadAsync(cancel.Token);
            Assert.False(wait.IsCompleted);
            await cancel.CancelAsync();
            await Assert.ThrowsAsync<OperationCanceledException>(async () => await wait).WaitAsync(_bound);
            ValueTask<bool> next = consumer.WaitToReadAsync();
            Assert.True(producer.TryWrite([(byte)i]));
            Assert.True(await next.AsTask().WaitAsync(_bound));
            Assert.True(consumer.TryRead(out _));
        }

        ValueTask<bool> cancelled = consumer.WaitToReadAsync(new CancellationToken(true));
        Assert.True(cancelled.IsCanceled);
        Assert.False(consumer.WaitToRead(TimeSpan.Zero));
    }

    [Fact]
    public async Task Disposing_ends_the_awaits_of_consumers_and_producers()
    {
        for (int round = 0; round < 20; round++)
        {
            ShmByteChannel channel = Open("dispose");
            ByteConsumer consumer = channel.CreateConsumer();
            ByteProducer producer = channel.CreateProducer();
            Task<bool> reading = consumer.WaitToReadAsync().AsTask();
            using ByteConsumer slow = channel.CreateConsumer();
            while (producer.TryWrite(new byte[100]))
            {
            }

            Task writing = producer.WriteAsync(new byte[1000]).AsTask();
            Assert.True(await reading.WaitAsync(_bound));
            while (consumer.TryRead(out _))
            {
            }

            reading = consumer.WaitToReadAsync().AsTask();
            channel.Dispose();
            consumer.Dispose();
            producer.Dispose();
            await Assert.ThrowsAsync<ObjectDisposedException>(() => reading.WaitAsync(_bound));
            await Assert.ThrowsAsync<ObjectDisposedException>(() => writing.WaitAsync(_bound));
        }
    }

    [Fact]
    public async Task Disposing_races_with_awaits_and_cancellations_and_nothing_is_used_after_it_is_unmapped()
    {
        long start = Stopwatch.GetTimestamp();
        for (int round = 0; round < 300 && Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(10); round++)
        {
            ShmByteChannel channel = Open("race");
            ByteConsumer consumer = channel.CreateConsumer();
            using CancellationTokenSource cancel = new();
            Task waiting = OwnThread.Run(() => WaitUntilGone(consumer, cancel.Token));
            Task awaiting = Task.Run(async () =>
            {
                try
                {
                    await consumer.WaitToReadAsync(cancel.Token);
                }
                catch (Exception error) when (error is ObjectDisposedException or OperationCanceledException)
                {
                }
            });
            Thread.SpinWait(round * 20);
            Task cancelling = round % 2 == 0 ? cancel.CancelAsync() : Task.CompletedTask;
            channel.Dispose();
            consumer.Dispose();
            await Task.WhenAll(waiting, awaiting, cancelling).WaitAsync(_bound);
        }

        static void WaitUntilGone(ByteConsumer consumer, CancellationToken cancellation)
        {
            try
            {
                while (true)
                {
                    consumer.WaitToRead(TimeSpan.FromMilliseconds(1), cancellation);
                }
            }
            catch (Exception error) when (error is ObjectDisposedException or OperationCanceledException)
            {
            }
        }
    }

    [Fact]
    public async Task Awaiting_a_task_a_second_time_is_refused_and_disturbs_nobody()
    {
        using ShmByteChannel channel = Open("twice");
        using ByteConsumer consumer = channel.CreateConsumer();
        using ByteProducer producer = channel.CreateProducer();
        ValueTask<bool> first = consumer.WaitToReadAsync();
        Assert.Throws<InvalidOperationException>(() => first.GetAwaiter().GetResult()); // still pending
        producer.Write("x"u8);
        Assert.True(await first.AsTask().WaitAsync(_bound));
        Assert.True(consumer.TryRead(out _));
        Assert.Throws<InvalidOperationException>(() => first.GetAwaiter().GetResult());
        ValueTask<bool> second = consumer.WaitToReadAsync();
        ValueTask<bool> third = consumer.WaitToReadAsync();
        Assert.Throws<InvalidOperationException>(() => first.GetAwaiter().GetResult());
        producer.Write("y"u8);
        Assert.All(await Task.WhenAll(second.AsTask(), third.AsTask()).WaitAsync(_bound), Assert.True);
    }

    public void Dispose() => _root.Dispose();

    private static int HubThreads() => Directory.EnumerateDirectories("/proc/self/task").Count(task =>
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, "comm")).Trim() == "ShmIpc hub";
        }
        catch (IOException)
        {
            return false; // the thread ended meanwhile
        }
    });

    private ShmByteChannel Open(string name) =>
        ShmByteChannel.CreateOrOpen(name, new ShmChannelOptions { Root = _root.Path, LaneCapacityBytes = 4096, MaxProducers = 2 });
}
