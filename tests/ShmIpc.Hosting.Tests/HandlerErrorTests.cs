// What becomes of a consumer when its handler throws, when a message cannot be decoded, and when the region is deleted.

using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ShmIpc.Channels;

namespace ShmIpc.Hosting.Tests;

public class HandlerErrorTests
{
    [Fact]
    public async Task By_default_a_handler_that_throws_stops_the_host()
    {
        using var root = new TestRoot();
        using var log = new LogRecorder();
        var handled = new ConcurrentQueue<string>();
        using IHost host = await TestHost.StartAsync(root, shm => shm
            .AddProducer("texts", TextSerializer.Instance)
            .AddConsumer("texts", TextSerializer.Instance, FailOn("two", handled)), log);
        ShmChannel<string> channel = host.Services.GetRequiredKeyedService<ShmChannel<string>>("texts");

        await SendAsync(host, "one", "two", "three");

        await TestHost.ItStopsAsync(host);
        Assert.Equal(["one"], handled);
        LogEntry entry = log.Find("The handler of channel texts failed on message 2")!;
        Assert.Equal((LogLevel.Error, "two is refused"), (entry.Level, entry.Exception!.Message));
        await TestHost.UntilAsync(() => channel.ConsumerCount == 0); // it holds no producer back
        await Record.ExceptionAsync(() => TestHost.StopAsync(host)); // the host may report the failure here again
    }

    [Fact]
    public async Task Asked_to_continue_it_gives_up_the_message_and_goes_on()
    {
        using var root = new TestRoot();
        using var log = new LogRecorder();
        var handled = new ConcurrentQueue<string>();
        using IHost host = await TestHost.StartAsync(root, shm => shm
            .AddProducer("texts", TextSerializer.Instance)
            .AddConsumer("texts", TextSerializer.Instance, FailOn("two", handled),
                options => options.OnHandlerError = HandlerErrorBehavior.Continue), log);

        await SendAsync(host, "one", "two", "three");

        await TestHost.UntilAsync(() => handled.Count == 2);
        Assert.Equal(["one", "three"], handled);
        LogEntry entry = log.Find("failed on message 2 of this consumer. The message is given up.")!;
        Assert.Equal((LogLevel.Error, "two is refused"), (entry.Level, entry.Exception!.Message));
        await TestHost.StopAsync(host);
    }

    [Fact]
    public async Task A_handler_that_cancels_for_reasons_of_its_own_has_failed()
    {
        using var root = new TestRoot();
        using var log = new LogRecorder();
        using IHost host = await TestHost.StartAsync(root, shm => shm
            .AddProducer("texts", TextSerializer.Instance)
            .AddConsumer("texts", TextSerializer.Instance, (_, _) => throw new OperationCanceledException("my own time-out")), log);

        await SendAsync(host, "one");

        await TestHost.ItStopsAsync(host);
        Assert.Equal("my own time-out", log.Find("failed on message 1")!.Exception!.Message);
        await Record.ExceptionAsync(() => TestHost.StopAsync(host));
    }

    [Fact]
    public async Task A_message_that_cannot_be_decoded_is_logged_with_its_position_and_skipped()
    {
        using var root = new TestRoot();
        using var log = new LogRecorder();
        var handled = new ConcurrentQueue<string>();
        using IHost host = await TestHost.StartAsync(root, shm => shm
            .AddProducer("texts", TextSerializer.Instance)
            .AddConsumer("texts", TextSerializer.Instance, FailOn("nothing", handled)), log);

        await SendAsync(host, TextSerializer.Undecodable, "one", TextSerializer.Undecodable, TextSerializer.Undecodable, "two");

        await TestHost.UntilAsync(() => handled.Count == 2);
        Assert.Equal(["one", "two"], handled);
        LogEntry[] skipped =
            [.. log.Entries.Where(entry => entry.Message.Contains("cannot be decoded and is skipped", StringComparison.Ordinal))];
        Assert.Equal(3, skipped.Length);
        Assert.All(skipped, entry =>
        {
            var exception = Assert.IsType<ShmPayloadException>(entry.Exception);
            Assert.Contains($"(lane {exception.Lane}, position {exception.Position})", entry.Message, StringComparison.Ordinal);
        });
        await TestHost.StopAsync(host);
    }

    [Fact]
    public async Task A_deleted_region_is_reported_and_stops_the_host()
    {
        using var root = new TestRoot();
        using var log = new LogRecorder();
        using IHost host = await TestHost.StartAsync(root, shm => shm
            .AddConsumer("texts", TextSerializer.Instance, (_, _) => ValueTask.CompletedTask), log);

        Assert.True(ShmChannel.Delete("texts", root.Path));

        await TestHost.ItStopsAsync(host);
        LogEntry entry = log.Find("Channel texts was deleted while it was in use")!;
        Assert.Equal(LogLevel.Critical, entry.Level);
        Assert.IsType<ShmRegionDeletedException>(entry.Exception);
        await Record.ExceptionAsync(() => TestHost.StopAsync(host));
    }

    private static Func<string, CancellationToken, ValueTask> FailOn(string refused, ConcurrentQueue<string> handled) =>
        async (message, _) =>
        {
            await Task.Yield();
            if (message == refused) throw new InvalidDataException($"{message} is refused");
            handled.Enqueue(message);
        };

    private static async Task SendAsync(IHost host, params string[] messages)
    {
        ChannelWriter<string> writer = host.Services.GetRequiredService<ChannelWriter<string>>();
        foreach (string message in messages) await writer.WriteAsync(message, TestHost.Cancellation);
    }
}
