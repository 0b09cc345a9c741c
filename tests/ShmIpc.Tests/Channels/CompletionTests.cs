// When a consumer ends, and how that differs from a channel inside one process.

using System.Threading.Channels;
using ShmIpc.Channels;
using Xunit;

namespace ShmIpc.Tests.Channels;

public sealed class CompletionTests : IDisposable
{
    private static readonly TimeSpan _soon = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _while = TimeSpan.FromMilliseconds(120);
    private readonly ScratchRoot _root = new();

    [Fact]
    public async Task A_consumer_ends_when_all_was_read_and_the_last_living_producer_has_completed()
    {
        using ShmChannel<int> channel = Open();
        using Producer<int> one = channel.CreateProducer();
        using Producer<int> two = channel.CreateProducer();
        using Consumer<int> consumer = channel.CreateConsumer();
        one.Write(1);
        Assert.True(one.TryComplete());
        Assert.False(one.TryComplete());
        Assert.Throws<ChannelClosedException>(() => one.Complete());
        Assert.False(one.TryWrite(2));
        Assert.Throws<ChannelClosedException>(() => one.Write(2));
        await Assert.ThrowsAsync<ChannelClosedException>(async () => await one.WriteAsync(2));
        Assert.False(await one.WaitToWriteAsync());
        Assert.Equal(1, consumer.Read(_soon));
        Assert.False(consumer.WaitToRead(_while));
        Assert.False(consumer.Completion.IsCompleted); // the other one is still at work
        two.Write(3);
        two.TryComplete();
        Assert.False(consumer.Completion.IsCompleted); // not before everything is read
        Assert.Equal(3, consumer.Read(_soon));
        Assert.False(consumer.WaitToRead(_soon));
        Assert.True(consumer.Completion.IsCompletedSuccessfully);
        Assert.False(await consumer.WaitToReadAsync());
        Assert.Throws<ChannelClosedException>(() => consumer.Read(_soon));
        await Assert.ThrowsAsync<ChannelClosedException>(async () => await consumer.ReadAsync());
    }

    [Fact]
    public async Task A_producer_that_merely_leaves_completes_nothing()
    {
        using ShmChannel<int> channel = Open();
        using Consumer<int> consumer = channel.CreateConsumer();
        channel.CreateProducer().Dispose();
        Assert.False(consumer.WaitToRead(_while));
        Assert.False(consumer.Completion.IsCompleted);

        Producer<int> completed = channel.CreateProducer();
        completed.Write(1);
        Task<bool> ending = Task.Run(async () =>
        {
            Assert.Equal(1, await consumer.ReadAsync());
            return await consumer.WaitToReadAsync();
        });
        using (Producer<int> other = channel.CreateProducer())
        {
            completed.TryComplete();
            await Task.Delay(_while);
            Assert.False(ending.IsCompleted);
        }

        Assert.False(await ending.WaitAsync(_soon)); // the last uncompleted one left: nobody is there who would write
        Assert.True(consumer.Completion.IsCompletedSuccessfully);
        completed.Dispose();
    }

    [Fact]
    public async Task An_error_reaches_every_consumer_with_its_type_and_as_much_of_its_message_as_fits()
    {
        using ShmChannel<int> channel = Open();
        using Producer<int> producer = channel.CreateProducer();
        using Consumer<int> one = channel.CreateConsumer();
        using Consumer<int> two = channel.CreateConsumer();
        string message = "ü" + new string('é', 300);
        producer.Write(7);
        producer.TryComplete(new InvalidOperationException(message));
        foreach (Consumer<int> consumer in new[] { one, two })
        {
            Assert.Equal(7, consumer.Read(_soon));
            Assert.False(consumer.WaitToRead(_soon));
            ShmRemoteException error = await Assert.ThrowsAsync<ShmRemoteException>(() => consumer.Completion);
            Assert.Equal(typeof(InvalidOperationException).FullName, error.RemoteTypeName);
            Assert.Equal(message[..91], error.RemoteMessage); // 183 bytes of UTF-8, cut between characters
            Assert.IsType<ShmRemoteException>(Assert.Throws<ChannelClosedException>(() => consumer.Read(_soon)).InnerException);
            await Assert.ThrowsAsync<ShmRemoteException>(async () => await consumer.WaitToReadAsync());
        }
    }

    [Fact]
    public async Task Completion_wakes_those_who_wait()
    {
        using ShmChannel<int> channel = Open();
        using Producer<int> producer = channel.CreateProducer();
        using Consumer<int> consumer = channel.CreateConsumer();
        Task<bool> parked = OwnThread.Run(() => consumer.WaitToRead(_soon));
        Task<bool> awaiting = consumer.WaitToReadAsync().AsTask();
        await Task.Delay(_while);
        producer.TryComplete();
        Assert.False(await parked.WaitAsync(_soon));
        Assert.False(await awaiting.WaitAsync(_soon));
    }

    [Fact]
    public async Task Completing_ends_the_writes_that_wait_for_room()
    {
        using ShmChannel<int> channel = Open();
        using Producer<int> producer = channel.CreateProducer();
        using Consumer<int> consumer = channel.CreateConsumer();
        while (producer.TryWrite(1))
        {
        }

        Task blocked = OwnThread.Run(() => producer.Write(2, _soon));
        Task awaiting = producer.WriteAsync(3).AsTask();
        Task<bool> looking = producer.WaitToWriteAsync().AsTask();
        await Task.Delay(_while);
        producer.TryComplete();
        await Assert.ThrowsAsync<ChannelClosedException>(() => blocked.WaitAsync(_soon));
        await Assert.ThrowsAsync<ChannelClosedException>(() => awaiting.WaitAsync(_soon));
        Assert.False(await looking.WaitAsync(_soon));
    }

    [Fact]
    public void The_channel_goes_on_with_a_producer_that_comes_after_completion()
    {
        using ShmChannel<int> channel = Open();
        using Consumer<int> consumer = channel.CreateConsumer();
        using (Producer<int> first = channel.CreateProducer())
        {
            first.Write(1);
            first.TryComplete();
        }

        using Producer<int> second = channel.CreateProducer();
        second.Write(2);
        Assert.Equal(1, consumer.Read(_soon));
        Assert.Equal(2, consumer.Read(_soon));
        Assert.False(consumer.WaitToRead(_while));
        Assert.False(consumer.Completion.IsCompleted);
        second.TryComplete();
        Assert.False(consumer.WaitToRead(_soon));
        Assert.True(consumer.Completion.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Messages_published_right_before_completion_are_never_missed()
    {
        using ShmChannel<int> channel = Open();
        for (int round = 0; round < 200; round++)
        {
            using Consumer<int> consumer = channel.CreateConsumer();
            while (consumer.TryRead(out _))
            {
            }

            Producer<int> producer = channel.CreateProducer();
            Task writing = OwnThread.Run(() =>
            {
                for (int i = 0; i < 20; i++)
                {
                    producer.Write(i);
                }

                producer.TryComplete();
            });
            int expected = 0;
            while (consumer.WaitToRead(_soon))
            {
                while (consumer.TryRead(out int number))
                {
                    Assert.Equal(expected++, number);
                }
            }

            Assert.Equal(20, expected);
            await writing.WaitAsync(_soon);
            producer.Dispose();
        }
    }

    [Fact]
    public void Capabilities_are_stated_as_they_are()
    {
        using ShmChannel<int> channel = Open();
        using Producer<int> producer = channel.CreateProducer();
        using Consumer<int> consumer = channel.CreateConsumer();
        ChannelReader<int> reader = consumer;
        Assert.True(reader.CanCount);
        Assert.False(reader.CanPeek);
        Assert.False(reader.TryPeek(out _));
        Assert.Equal(0, reader.Count);
        producer.Write(1);
        producer.Write(2);
        Assert.Equal(2, reader.Count);
        Assert.True(reader.TryRead(out _));
        Assert.Equal(1, reader.Count);
    }

    public void Dispose() => _root.Dispose();

    private ShmChannel<int> Open() =>
        ShmChannel.CreateOrOpen<int>("completion", new ShmChannelOptions { Root = _root.Path, LaneCapacityBytes = 4096 });
}
