// Completion: hosted consumers stay for producers to come, unless they are asked to end.

using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ShmIpc.Channels;

namespace ShmIpc.Hosting.Tests;

/// <remarks>One of them measures the processor time of the whole process, so no other test may run beside these.</remarks>
[CollectionDefinition(nameof(CompletionTests), DisableParallelization = true)]
[Collection(nameof(CompletionTests))]
public class CompletionTests
{
    [Fact]
    public async Task A_consumer_stays_for_the_producers_that_come_after_completion()
    {
        using var root = new TestRoot();
        using var log = new LogRecorder();
        var handled = new ConcurrentQueue<string>();
        using IHost host = await TestHost.StartAsync(root, Consumer(handled, stopOnCompletion: false), log);
        using ShmChannel<string> channel = Open(root);

        Produce(channel, error: null, "one");
        await TestHost.UntilAsync(() => log.Find("Channel texts is complete. The consumer waits for new producers.") is not null);
        Produce(channel, error: null, "two");
        await TestHost.UntilAsync(() => handled.Count >= 2);

        Assert.Equal(["one", "two"], handled); // and "one" not again
        Assert.Equal(1, channel.ConsumerCount);
        await TestHost.StopAsync(host);
    }

    [Fact]
    public async Task While_it_stays_it_neither_spins_nor_fills_the_log()
    {
        using var root = new TestRoot();
        using var log = new LogRecorder();
        var handled = new ConcurrentQueue<string>();
        using IHost host = await TestHost.StartAsync(root, Consumer(handled, stopOnCompletion: false), log);
        using ShmChannel<string> channel = Open(root);

        Produce(channel, error: null, "one");
        await TestHost.UntilAsync(() => log.Find("waits for new producers") is not null);
        int entries = log.Entries.Count();
        // A thread that spins takes all of each second, however busy the machine is; one that looks every 50 ms next to nothing of it.
        // The first seconds may be the just-in-time compiler's, at work on what the tests before have run.
        TimeSpan least = TimeSpan.MaxValue;
        for (int second = 0; second < 8 && least > TimeSpan.FromMilliseconds(500); second++)
        {
            TimeSpan before = Environment.CpuUsage.TotalTime;
            await Task.Delay(1000, TestHost.Cancellation);
            TimeSpan taken = Environment.CpuUsage.TotalTime - before;
            least = taken < least ? taken : least;
        }

        Assert.Equal(entries, log.Entries.Count());
        Assert.InRange(least, TimeSpan.Zero, TimeSpan.FromMilliseconds(500));
        await TestHost.StopAsync(host);
    }

    [Fact]
    public async Task A_consumer_that_stays_reports_a_producers_error_and_goes_on()
    {
        using var root = new TestRoot();
        using var log = new LogRecorder();
        var handled = new ConcurrentQueue<string>();
        using IHost host = await TestHost.StartAsync(root, Consumer(handled, stopOnCompletion: false), log);
        using ShmChannel<string> channel = Open(root);

        Produce(channel, new InvalidDataException("out of paper"), "one");
        await TestHost.UntilAsync(() => log.Find("Channel texts was completed with an error") is not null);
        Produce(channel, error: null, "two");
        await TestHost.UntilAsync(() => handled.Count >= 2);

        Assert.Equal(["one", "two"], handled);
        LogEntry entry = log.Find("Channel texts was completed with an error")!;
        Assert.Equal(LogLevel.Error, entry.Level);
        Assert.Contains("out of paper", Assert.IsType<ShmRemoteException>(entry.Exception).Message, StringComparison.Ordinal);
        await TestHost.StopAsync(host);
    }

    [Fact]
    public async Task Asked_to_it_ends_when_everything_is_read_and_the_host_goes_on()
    {
        using var root = new TestRoot();
        using var log = new LogRecorder();
        var handled = new ConcurrentQueue<string>();
        using IHost host = await TestHost.StartAsync(root, Consumer(handled, stopOnCompletion: true), log);
        using ShmChannel<string> channel = Open(root);

        string[] sent = [.. Enumerable.Range(0, 100).Select(number => $"{number}")];
        Produce(channel, error: null, sent);
        await TestHost.UntilAsync(() => channel.ConsumerCount == 0);

        Assert.Equal(sent, handled);
        Assert.NotNull(log.Find("Channel texts is complete. The consumer ends."));
        Assert.False(host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested);
        await TestHost.StopAsync(host);
    }

    [Fact]
    public async Task Asked_to_end_it_fails_with_a_producers_error()
    {
        using var root = new TestRoot();
        using var log = new LogRecorder();
        var handled = new ConcurrentQueue<string>();
        using IHost host = await TestHost.StartAsync(root, Consumer(handled, stopOnCompletion: true), log);
        using ShmChannel<string> channel = Open(root);

        Produce(channel, new InvalidDataException("out of paper"), "one");

        await TestHost.ItStopsAsync(host);
        Assert.Equal(["one"], handled);
        Assert.Contains(log.Entries, entry => entry.Exception is ShmRemoteException);
        await Record.ExceptionAsync(() => TestHost.StopAsync(host));
    }

    private static Action<ShmIpcBuilder> Consumer(ConcurrentQueue<string> handled, bool stopOnCompletion) => shm => shm.AddConsumer(
        "texts",
        TextSerializer.Instance,
        (message, _) =>
        {
            handled.Enqueue(message);
            return ValueTask.CompletedTask;
        },
        options => options.StopOnCompletion = stopOnCompletion);

    private static ShmChannel<string> Open(TestRoot root) =>
        ShmChannel.Open("texts", TextSerializer.Instance, new ShmChannelOptions { Root = root.Path });

    private static void Produce(ShmChannel<string> channel, Exception? error, params string[] messages)
    {
        using Producer<string> producer = channel.CreateProducer();
        foreach (string message in messages) producer.Write(message, TestHost.Patience, TestHost.Cancellation);
        producer.TryComplete(error);
    }
}
