// Hosted consumers in groups: pools of workers, stand-bys, and what becomes of messages that a host did not finish.

using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ShmIpc.Channels;

namespace ShmIpc.Hosting.Tests;

public class GroupTests
{
    private readonly ConcurrentQueue<(string Host, string Message, int DeliveryCount)> _handled = new();

    private IEnumerable<string> Messages => _handled.Select(entry => entry.Message);

    [Fact]
    public async Task Two_hosts_of_a_shared_group_handle_each_message_once()
    {
        using var root = new TestRoot();
        int begun = 0;
        var bothAreAtWork = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task OnMessage(string message)
        {
            if (Interlocked.Increment(ref begun) == 2) bothAreAtWork.SetResult(); // one of each, since each has one message at a time
            return bothAreAtWork.Task;
        }

        using IHost first = await StartAsync(root, "first", Workers, OnMessage);
        using IHost second = await StartAsync(root, "second", Workers, OnMessage);
        string[] sent = [.. Enumerable.Range(0, 200).Select(number => $"{number}")];

        await SendAsync(root, sent);

        await TestHost.UntilAsync(() => _handled.Count >= sent.Length);
        Assert.Equal(sent.Order(StringComparer.Ordinal), Messages.Order(StringComparer.Ordinal));
        Assert.Equal(["first", "second"], _handled.Select(entry => entry.Host).Distinct().Order());
        Assert.All(_handled, entry => Assert.Equal(1, entry.DeliveryCount));
        await TestHost.StopAsync(first);
        await TestHost.StopAsync(second);
    }

    [Fact]
    public async Task Without_a_group_each_host_handles_every_message()
    {
        using var root = new TestRoot();
        using IHost first = await StartAsync(root, "first", _ => { });
        using IHost second = await StartAsync(root, "second", _ => { });

        await SendAsync(root, "one", "two");

        await TestHost.UntilAsync(() => _handled.Count >= 4);
        Assert.Equal(["one", "one", "two", "two"], Messages.Order());
        await TestHost.StopAsync(first);
        await TestHost.StopAsync(second);
    }

    [Fact]
    public async Task In_an_exclusive_group_one_host_handles_and_the_other_continues_when_it_stops()
    {
        using var root = new TestRoot();
        using IHost first = await StartAsync(root, "first", options => options.Group = "one-at-a-time");
        using IHost second = await StartAsync(root, "second", options => options.Group = "one-at-a-time");
        await SendAsync(root, "one", "two");
        await TestHost.UntilAsync(() => _handled.Count >= 2);

        await TestHost.StopAsync(first);
        await SendAsync(root, "three");

        await TestHost.UntilAsync(() => _handled.Count >= 3);
        Assert.Equal([("first", "one", 1), ("first", "two", 1), ("second", "three", 1)], _handled);
        await TestHost.StopAsync(second);
    }

    [Fact]
    public async Task A_message_whose_handler_failed_and_stopped_its_host_is_handled_by_another_host()
    {
        using var root = new TestRoot();
        using var log = new LogRecorder();
        using IHost failing = await StartAsync(root, "failing", Workers, onMessage: _ => throw new InvalidDataException("refused"));
        await SendAsync(root, "one");
        await TestHost.ItStopsAsync(failing);
        await Record.ExceptionAsync(() => TestHost.StopAsync(failing)); // the host may report the failure here again

        using IHost healthy = await StartAsync(root, "healthy", Workers, log: log);
        await SendAsync(root, "two");

        await TestHost.UntilAsync(() => _handled.Count >= 2);
        Assert.Equal([("healthy", "one", 2), ("healthy", "two", 1)], _handled.OrderBy(entry => entry.Message));
        Assert.Equal(LogLevel.Warning, log.Find("delivery 2")!.Level);
        await TestHost.StopAsync(healthy);
    }

    [Fact]
    public async Task A_message_that_is_given_up_is_not_delivered_again()
    {
        using var root = new TestRoot();
        using IHost careless = await StartAsync(root, "careless", options =>
        {
            Workers(options);
            options.OnHandlerError = HandlerErrorBehavior.Continue;
        }, onMessage: message => message == "bad" ? throw new InvalidDataException("refused") : Task.CompletedTask);
        await SendAsync(root, "bad", "good");
        await TestHost.UntilAsync(() => !_handled.IsEmpty);
        await TestHost.StopAsync(careless);

        using IHost next = await StartAsync(root, "next", Workers);
        await SendAsync(root, "later");

        await TestHost.UntilAsync(() => _handled.Count >= 2);
        Assert.Equal([("careless", "good", 1), ("next", "later", 1)], _handled);
        await TestHost.StopAsync(next);
    }

    [Theory]
    [InlineData(GroupKind.Shared)]
    [InlineData(GroupKind.Exclusive)]
    public async Task A_durable_group_continues_after_a_restart_of_its_host_and_gets_the_unfinished_message_again(GroupKind kind)
    {
        using var root = new TestRoot();
        void Configure(ShmConsumerOptions options) => (options.Group, options.Kind, options.Durable) = ("durable", kind, true);
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using (IHost before = await StartAsync(root, "before", Configure, shutdownTimeout: TimeSpan.FromSeconds(1), onMessage: async message =>
        {
            if (message != "stuck") return;
            begun.SetResult();
            await Task.Delay(Timeout.Infinite, TestHost.Cancellation);
        }))
        {
            await SendAsync(root, "one", "stuck", "three");
            await begun.Task.WaitAsync(TestHost.Patience, TestHost.Cancellation);
            await Record.ExceptionAsync(() => TestHost.StopAsync(before)); // the host says that it ran out of time
        }

        await SendAsync(root, "four");
        using IHost after = await StartAsync(root, "after", Configure);

        await TestHost.UntilAsync(() => _handled.Count >= 4);
        (string, string, int)[] expected = [("before", "one", 1), ("after", "stuck", 2), ("after", "three", 1), ("after", "four", 1)];
        if (kind == GroupKind.Exclusive) Assert.Equal(expected, _handled);
        else Assert.Equal(expected.Order(), _handled.Order());
        await TestHost.StopAsync(after);
    }

    [Fact]
    public async Task A_group_that_starts_at_the_latest_message_does_not_get_earlier_ones()
    {
        using var root = new TestRoot();
        await SendAsync(root, "before");
        using IHost host = await StartAsync(root, "host", options => (options.Group, options.Start) = ("new", StartPosition.Latest));
        await SendAsync(root, "after");

        await TestHost.UntilAsync(() => !_handled.IsEmpty);
        Assert.Equal(["after"], Messages);
        await TestHost.StopAsync(host);
    }

    [Fact]
    public async Task The_group_can_come_from_the_configuration_and_code_changes_it()
    {
        using var root = new TestRoot();
        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection(
        [
            KeyValuePair.Create("Root", (string?)root.Path), KeyValuePair.Create("Channels:texts:MaxGroups", (string?)"5"),
            KeyValuePair.Create("Channels:texts:Consumer:Group", (string?)"configured"),
            KeyValuePair.Create("Channels:texts:Consumer:Kind", (string?)"Shared"),
            KeyValuePair.Create("Channels:texts:Consumer:Durable", (string?)"true"),
        ]).Build();
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddShmIpc(configuration)
            .AddConsumer("texts", TextSerializer.Instance, (_, _) => ValueTask.CompletedTask, options => options.Group = "changed")
            .AddConsumer("texts", TextSerializer.Instance, (_, _) => ValueTask.CompletedTask);
        using IHost host = builder.Build();
        await host.StartAsync(TestHost.Cancellation);

        IReadOnlyList<ShmGroup> groups = host.Services.GetRequiredKeyedService<ShmChannel<string>>("texts").Groups;
        Assert.Equal(
            [("changed", GroupKind.Shared, true), ("configured", GroupKind.Shared, true)],
            groups.Select(group => (group.Name!, group.Kind, group.IsDurable)).Order());
        await TestHost.StopAsync(host);
    }

    [Fact]
    public async Task Options_that_do_not_go_together_end_the_start_of_the_host()
    {
        using var root = new TestRoot();
        using IHost host = TestHost.Build(root, shm => shm.AddConsumer(
            "texts", TextSerializer.Instance, (_, _) => ValueTask.CompletedTask, options => options.Durable = true));

        OptionsValidationException refusal =
            await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestHost.Cancellation));
        Assert.Contains("consumer of channel texts cannot be used. A durable or shared group needs a name", refusal.Message,
            StringComparison.Ordinal);
        Assert.False(ShmChannel.Exists("texts", root.Path));
    }

    [Fact]
    public async Task A_group_of_another_kind_ends_the_start_of_the_host_with_both_kinds()
    {
        using var root = new TestRoot();
        using IHost first = await StartAsync(root, "first", Workers);
        using IHost other = TestHost.Build(root, shm => shm.AddConsumer(
            "texts", TextSerializer.Instance, (_, _) => ValueTask.CompletedTask, options => options.Group = "workers"));

        ShmGroupException refusal = await Assert.ThrowsAsync<ShmGroupException>(() => other.StartAsync(TestHost.Cancellation));
        Assert.Contains("is durable and shared, and ephemeral and exclusive was asked for", refusal.Message, StringComparison.Ordinal);
        await TestHost.StopAsync(first);
    }

    private static void Workers(ShmConsumerOptions options) =>
        (options.Group, options.Kind, options.Durable) = ("workers", GroupKind.Shared, true);

    private Task<IHost> StartAsync(
        TestRoot root,
        string name,
        Action<ShmConsumerOptions> configure,
        Func<string, Task>? onMessage = null,
        LogRecorder? log = null,
        TimeSpan? shutdownTimeout = null) =>
        TestHost.StartAsync(root, shm =>
        {
            shm.Services.Configure<HostOptions>(options => options.ShutdownTimeout = shutdownTimeout ?? TestHost.Patience);
            shm.Services.AddSingleton(new CountingHandler(name, onMessage, _handled));
            shm.AddConsumer<string, CountingHandler>("texts", TextSerializer.Instance, configure);
        }, log);

    private static async Task SendAsync(TestRoot root, params string[] messages)
    {
        using IHost host = await TestHost.StartAsync(root, shm => shm.AddProducer("texts", TextSerializer.Instance));
        ChannelWriter<string> writer = host.Services.GetRequiredService<ChannelWriter<string>>();
        foreach (string message in messages) await writer.WriteAsync(message, TestHost.Cancellation);
        await TestHost.StopAsync(host);
    }
}
