// How a host with consumers stops: soon, with the message in hand finished, and with nothing taken that is not handled.

using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ShmIpc.Hosting.Tests;

public class ShutdownTests
{
    [Fact]
    public async Task An_idle_host_stops_at_once()
    {
        using var root = new TestRoot();
        using IHost host = await TestHost.StartAsync(root, shm =>
        {
            // Longer than the test waits: it does not stop because its time is over.
            shm.Services.Configure<HostOptions>(options => options.ShutdownTimeout = 10 * TestHost.Patience);
            shm.AddProducer("texts", TextSerializer.Instance)
                .AddConsumer("texts", TextSerializer.Instance, (_, _) => ValueTask.CompletedTask)
                .AddConsumer("texts", TextSerializer.Instance, (_, _) => ValueTask.CompletedTask);
        });
        await Task.Delay(100, TestHost.Cancellation); // let the consumers park
        await TestHost.StopAsync(host);
    }

    [Fact]
    public async Task The_message_in_hand_is_finished_and_the_next_is_not_begun()
    {
        using var root = new TestRoot();
        var begun = new SemaphoreSlim(0);
        var mayFinish = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var finished = new ConcurrentQueue<string>();
        using IHost host = await TestHost.StartAsync(root, shm => shm
            .AddProducer("texts", TextSerializer.Instance)
            .AddConsumer("texts", TextSerializer.Instance, async (message, cancellationToken) =>
            {
                begun.Release();
                await mayFinish.Task.WaitAsync(cancellationToken);
                finished.Enqueue(message);
            }));
        ChannelWriter<string> writer = host.Services.GetRequiredService<ChannelWriter<string>>();
        await writer.WriteAsync("one", TestHost.Cancellation);
        await writer.WriteAsync("two", TestHost.Cancellation);
        await begun.WaitAsync(TestHost.Cancellation);

        Task stop = TestHost.StopAsync(host);
        await Task.Delay(200, TestHost.Cancellation);
        Assert.False(stop.IsCompleted);
        Assert.Empty(finished);
        mayFinish.SetResult();
        await stop;

        Assert.Equal(["one"], finished);
        Assert.Equal(0, begun.CurrentCount);
    }

    [Fact]
    public async Task A_handler_that_outlasts_the_shutdown_timeout_is_cancelled_and_that_is_logged()
    {
        using var root = new TestRoot();
        using var log = new LogRecorder();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using IHost host = TestHost.Build(root, shm =>
        {
            shm.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromMilliseconds(300));
            shm.AddProducer("texts", TextSerializer.Instance)
                .AddConsumer("texts", TextSerializer.Instance, async (_, cancellationToken) =>
                {
                    begun.SetResult();
                    await Task.Delay(Timeout.Infinite, cancellationToken);
                });
        }, log);
        await host.StartAsync(TestHost.Cancellation);
        await host.Services.GetRequiredService<ChannelWriter<string>>().WriteAsync("one", TestHost.Cancellation);
        await begun.Task.WaitAsync(TestHost.Patience, TestHost.Cancellation);

        await Record.ExceptionAsync(() => TestHost.StopAsync(host)); // the host says that it ran out of time

        await TestHost.UntilAsync(() => log.Find("did not finish message 1") is not null);
        Assert.Equal(LogLevel.Warning, log.Find("did not finish message 1")!.Level);
    }

    [Fact]
    public async Task Under_load_every_message_that_was_begun_is_finished()
    {
        using var root = new TestRoot();
        using var sending = CancellationTokenSource.CreateLinkedTokenSource(TestHost.Cancellation);
        using IHost producing = await TestHost.StartAsync(root, shm => shm.AddProducer("texts", TextSerializer.Instance));
        ChannelWriter<string> writer = producing.Services.GetRequiredService<ChannelWriter<string>>();
        Task sender = Task.Run(async () =>
        {
            for (int number = 0; !sending.IsCancellationRequested; number++) await writer.WriteAsync($"{number}", sending.Token);
        }, TestHost.Cancellation);

        for (int round = 0; round < 10; round++)
        {
            int begun = 0, finished = 0;
            using IHost consuming = await TestHost.StartAsync(root, shm => shm
                .AddConsumer("texts", TextSerializer.Instance, async (_, cancellationToken) =>
                {
                    Interlocked.Increment(ref begun);
                    await Task.Delay(1, cancellationToken);
                    Interlocked.Increment(ref finished);
                }));
            await TestHost.UntilAsync(() => Volatile.Read(ref finished) > 3);
            await TestHost.StopAsync(consuming);
            Assert.Equal(begun, finished);
        }

        await sending.CancelAsync();
        await Record.ExceptionAsync(() => sender);
        await TestHost.StopAsync(producing);
    }
}
