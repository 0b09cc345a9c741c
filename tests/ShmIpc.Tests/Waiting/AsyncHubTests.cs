using System.Diagnostics;
using ShmIpc.Channels;
using Xunit;

#pragma warning disable CA2012 // these tests look at pending tasks, which users should not

namespace ShmIpc.Tests.Waiting;

public sealed class AsyncHubTests : IDisposable
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(60);
    private readonly ScratchRoot _root = new();

    [Fact]
    public async Task Three_hundred_awaiting_consumers_need_a_handful_of_threads()
    {
        const int channels = 5;
        const int consumersEach = 60;
        List<ShmByteChannel> opened = [.. Enumerable.Range(0, channels).Select(i => Open($"hub{i}"))];
        List<ByteConsumer> consumers = [.. opened.SelectMany(channel => Enumerable.Range(0, consumersEach).Select(_ => channel.CreateConsumer()))];
        List<Task<bool>> waits = [.. consumers.Select(consumer => consumer.WaitToReadAsync().AsTask())];
        Assert.InRange(HubThreads(), 1, 8);
        await Task.Delay(200);
        Assert.All(waits, wait => Assert.False(wait.IsCompleted));
        foreach (ShmByteChannel channel in opened)
        {
            using ByteProducer producer = channel.CreateProducer();
            producer.Write("to all of them"u8);
        }

        Assert.All(await Task.WhenAll(waits).WaitAsync(_bound), Assert.True);
        Assert.InRange(HubThreads(), 1, 8);
        consumers.ForEach(consumer => consumer.Dispose());
        opened.ForEach(channel => channel.Dispose());
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
        ShmByteChannel.CreateOrOpen(name, new ShmChannelOptions { Root = _root.Path, LaneCapacityBytes = 4096 });
}
