// How producers are found, shared, told apart and disposed.

using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ShmIpc.Channels;

namespace ShmIpc.Hosting.Tests;

public class ProducerTests
{
    [Fact]
    public async Task Producers_of_one_type_are_told_apart_by_their_channels_name()
    {
        using var root = new TestRoot();
        using IHost host = await TestHost.StartAsync(root, shm => shm
            .AddProducer("left", TextSerializer.Instance)
            .AddProducer("right", TextSerializer.Instance));
        using var leftChannel = Open(root, "left");
        using var rightChannel = Open(root, "right");
        using Consumer<string> left = leftChannel.CreateConsumer();
        using Consumer<string> right = rightChannel.CreateConsumer();

        var sender = ActivatorUtilities.CreateInstance<SendsLeftAndRight>(host.Services);
        await sender.SendAsync();

        Assert.Equal("to the left", left.Read(TestHost.Patience, TestHost.Cancellation));
        Assert.Equal("to the right", right.Read(TestHost.Patience, TestHost.Cancellation));
        await TestHost.StopAsync(host);
    }

    [Fact]
    public async Task Without_a_key_a_type_that_several_channels_carry_is_refused_with_their_names()
    {
        using var root = new TestRoot();
        using IHost host = await TestHost.StartAsync(root, shm => shm
            .AddProducer("left", TextSerializer.Instance)
            .AddProducer("right", TextSerializer.Instance));

        InvalidOperationException refusal = Assert.Throws<InvalidOperationException>(
            () => host.Services.GetRequiredService<Producer<string>>());
        Assert.Contains("left, right", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("[FromKeyedServices(\"left\")]", refusal.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => host.Services.GetRequiredService<ChannelWriter<string>>());
        await TestHost.StopAsync(host);
    }

    [Fact]
    public async Task A_channel_that_is_only_consumed_does_not_make_the_producer_ambiguous()
    {
        using var root = new TestRoot();
        using IHost host = await TestHost.StartAsync(root, shm => shm
            .AddConsumer("left", TextSerializer.Instance, (_, _) => ValueTask.CompletedTask)
            .AddProducer("right", TextSerializer.Instance));

        Assert.Same(
            host.Services.GetRequiredKeyedService<Producer<string>>("right"), host.Services.GetRequiredService<Producer<string>>());
        await TestHost.StopAsync(host);
    }

    [Fact]
    public async Task One_producer_serves_the_whole_host_by_every_name_it_has()
    {
        using var root = new TestRoot();
        using IHost host = await TestHost.StartAsync(root, shm => shm
            .AddProducer("texts", TextSerializer.Instance)
            .AddProducer("texts", TextSerializer.Instance));

        Producer<string> producer = host.Services.GetRequiredService<Producer<string>>();
        Assert.Same(producer, host.Services.GetRequiredService<ChannelWriter<string>>());
        Assert.Same(producer, host.Services.GetRequiredKeyedService<Producer<string>>("texts"));
        Assert.Same(producer, host.Services.GetRequiredKeyedService<ChannelWriter<string>>("texts"));
        Assert.Equal(1, host.Services.GetRequiredKeyedService<ShmChannel<string>>("texts").ProducerCount);
        await TestHost.StopAsync(host);
    }

    [Fact]
    public async Task Producers_and_consumers_join_at_the_start_and_are_gone_with_the_host()
    {
        using var root = new TestRoot();
        using ShmChannel<string> channel = Open(root, "texts");
        using (IHost host = await TestHost.StartAsync(root, shm => shm
            .AddProducer("texts", TextSerializer.Instance)
            .AddConsumer("texts", TextSerializer.Instance, (_, _) => ValueTask.CompletedTask)))
        {
            Assert.Equal((1, 1), (channel.ProducerCount, channel.ConsumerCount));
            await TestHost.StopAsync(host);
            Assert.Equal(0, channel.ConsumerCount);
        }

        Assert.Equal((0, 0), (channel.ProducerCount, channel.ConsumerCount));
    }

    [Fact]
    public async Task A_producer_works_without_a_host_and_without_logging()
    {
        using var root = new TestRoot();
        var services = new ServiceCollection();
        services.AddShmIpc(options => options.Root = root.Path).AddProducer("texts", TextSerializer.Instance);
        await using ServiceProvider provider = services.BuildServiceProvider();

        Assert.True(provider.GetRequiredService<ChannelWriter<string>>().TryWrite("hello"));

        using ShmChannel<string> channel = Open(root, "texts");
        using Consumer<string> consumer = channel.CreateConsumer();
        Assert.Equal("hello", consumer.Read(TestHost.Patience, TestHost.Cancellation));
    }

    [Fact]
    public void One_channel_has_one_serializer()
    {
        ShmIpcBuilder shm = new ServiceCollection().AddShmIpc().AddProducer("texts", TextSerializer.Instance);
        InvalidOperationException refusal = Assert.Throws<InvalidOperationException>(
            () => shm.AddConsumer("texts", new TextSerializer("test/other"), (_, _) => ValueTask.CompletedTask));
        Assert.Contains("'texts'", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_channel_of_another_payload_format_ends_the_start_of_the_host()
    {
        using var root = new TestRoot();
        using ShmChannel<string> channel = ShmChannel.CreateOrOpen(
            "texts", new TextSerializer("test/other"), new ShmChannelOptions { Root = root.Path });
        using IHost host = TestHost.Build(root, shm => shm.AddProducer("texts", TextSerializer.Instance));

        await Assert.ThrowsAsync<ShmRegionFormatException>(() => host.StartAsync(TestHost.Cancellation));
    }

    private static ShmChannel<string> Open(TestRoot root, string channel) =>
        ShmChannel.CreateOrOpen(channel, TextSerializer.Instance, new ShmChannelOptions { Root = root.Path });

    private sealed class SendsLeftAndRight(
        [FromKeyedServices("left")] ChannelWriter<string> left, [FromKeyedServices("right")] Producer<string> right)
    {
        public async Task SendAsync()
        {
            await left.WriteAsync("to the left", TestHost.Cancellation);
            await right.WriteAsync("to the right", TestHost.Cancellation);
        }
    }
}
