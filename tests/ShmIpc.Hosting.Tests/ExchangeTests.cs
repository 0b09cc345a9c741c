// Messages from host to host, by every way of sending and handling them.

using System.Collections.Concurrent;
using System.Threading.Channels;
using MessagePack;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ShmIpc.Channels;

namespace ShmIpc.Hosting.Tests;

public class ExchangeTests
{
    [Fact]
    public async Task Two_hosts_exchange_messages_in_both_directions_and_in_order()
    {
        using var root = new TestRoot();
        var questions = new ConcurrentQueue<string>();
        var answers = new ConcurrentQueue<string>();

        ChannelWriter<string>? answerWriter = null;
        using IHost asking = await TestHost.StartAsync(root, shm => shm
            .AddProducer("questions", TextSerializer.Instance)
            .AddConsumer("answers", TextSerializer.Instance, (answer, _) =>
            {
                answers.Enqueue(answer);
                return ValueTask.CompletedTask;
            }));
        using IHost answering = await TestHost.StartAsync(root, shm => shm
            .AddProducer("answers", TextSerializer.Instance)
            .AddConsumer("questions", TextSerializer.Instance, async (question, cancellationToken) =>
            {
                questions.Enqueue(question);
                await Volatile.Read(ref answerWriter)!.WriteAsync($"answer to {question}", cancellationToken);
            }));
        Volatile.Write(ref answerWriter, answering.Services.GetRequiredService<ChannelWriter<string>>());

        string[] sent = [.. Enumerable.Range(0, 1000).Select(number => $"question {number}")];
        var questionWriter = asking.Services.GetRequiredService<Producer<string>>();
        foreach (string question in sent) await questionWriter.WriteAsync(question, TestHost.Cancellation);

        await TestHost.UntilAsync(() => answers.Count >= sent.Length);
        Assert.Equal(sent, questions);
        Assert.Equal(sent.Select(question => $"answer to {question}"), answers);
        await TestHost.StopAsync(asking);
        await TestHost.StopAsync(answering);
    }

    [Fact]
    public async Task MessagePack_is_the_default_serializer()
    {
        using var root = new TestRoot();
        var received = new TaskCompletionSource<Quote>(TaskCreationOptions.RunContinuationsAsynchronously);
        using IHost host = await TestHost.StartAsync(root, shm => shm
            .AddProducer<Quote>("quotes")
            .AddConsumer<Quote>("quotes", (quote, _) =>
            {
                received.SetResult(quote);
                return ValueTask.CompletedTask;
            }));

        var quote = new Quote { Symbol = "MSFT", Price = 431.20 };
        await host.Services.GetRequiredService<Producer<Quote>>().WriteAsync(quote, TestHost.Cancellation);

        Assert.Equal(quote, await received.Task.WaitAsync(TestHost.Patience, TestHost.Cancellation));
        await TestHost.StopAsync(host);
    }

    [Fact]
    public async Task A_handler_type_is_resolved_in_a_scope_of_its_own_for_every_message()
    {
        using var root = new TestRoot();
        var record = new ScopedHandlerRecord();
        using IHost host = await TestHost.StartAsync(root, shm =>
        {
            shm.Services.AddSingleton(record).AddScoped<ScopedDependency>();
            shm.AddProducer("texts", TextSerializer.Instance).AddConsumer<string, ScopedHandler>("texts", TextSerializer.Instance);
        });

        var producer = host.Services.GetRequiredService<Producer<string>>();
        foreach (string text in (string[])["one", "two", "three"]) await producer.WriteAsync(text, TestHost.Cancellation);

        await TestHost.UntilAsync(() => record.DisposedDependencies == 3);
        Assert.Equal(["one", "two", "three"], record.Messages);
        Assert.Equal(3, record.Handlers.Distinct(ReferenceEqualityComparer.Instance).Count());
        await TestHost.StopAsync(host);
    }

    [Fact]
    public async Task A_handler_type_registered_as_a_singleton_is_one_for_all_messages()
    {
        using var root = new TestRoot();
        var record = new ScopedHandlerRecord();
        using IHost host = await TestHost.StartAsync(root, shm =>
        {
            shm.Services.AddSingleton(record).AddSingleton<ScopedDependency>().AddSingleton<ScopedHandler>();
            shm.AddProducer("texts", TextSerializer.Instance).AddConsumer<string, ScopedHandler>("texts", TextSerializer.Instance);
        });

        var producer = host.Services.GetRequiredService<Producer<string>>();
        foreach (string text in (string[])["one", "two"]) await producer.WriteAsync(text, TestHost.Cancellation);

        await TestHost.UntilAsync(() => record.Messages.Count == 2);
        Assert.Single(record.Handlers.Distinct(ReferenceEqualityComparer.Instance));
        await TestHost.StopAsync(host);
    }

    [Fact]
    public async Task Two_consumers_of_one_channel_in_one_host_see_every_message_each()
    {
        using var root = new TestRoot();
        var first = new ConcurrentQueue<string>();
        var second = new ConcurrentQueue<string>();
        using IHost host = await TestHost.StartAsync(root, shm => shm
            .AddProducer("texts", TextSerializer.Instance)
            .AddConsumer("texts", TextSerializer.Instance, Into(first))
            .AddConsumer("texts", TextSerializer.Instance, Into(second)));

        string[] sent = ["one", "two", "three"];
        var producer = host.Services.GetRequiredService<Producer<string>>();
        foreach (string text in sent) await producer.WriteAsync(text, TestHost.Cancellation);

        await TestHost.UntilAsync(() => first.Count == sent.Length && second.Count == sent.Length);
        Assert.Equal(sent, first);
        Assert.Equal(sent, second);
        await TestHost.StopAsync(host);
    }

    [Fact]
    public async Task What_a_service_of_the_host_sends_while_it_starts_is_handled()
    {
        using var root = new TestRoot();
        var received = new ConcurrentQueue<string>();
        using IHost host = await TestHost.StartAsync(root, shm =>
        {
            shm.Services.AddHostedService<SendsWhileItStarts>(); // before the consumer, so it starts first
            shm.AddProducer("texts", TextSerializer.Instance).AddConsumer("texts", TextSerializer.Instance, Into(received));
        });

        await TestHost.UntilAsync(() => !received.IsEmpty);
        Assert.Equal(["early"], received);
        await TestHost.StopAsync(host);
    }

    private static Func<string, CancellationToken, ValueTask> Into(ConcurrentQueue<string> queue) => (message, _) =>
    {
        queue.Enqueue(message);
        return ValueTask.CompletedTask;
    };

    [MessagePackObject]
    public sealed record Quote
    {
        [Key(0)]
        public string Symbol { get; init; } = "";

        [Key(1)]
        public double Price { get; init; }
    }

    private sealed class SendsWhileItStarts(ChannelWriter<string> writer) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => writer.WriteAsync("early", cancellationToken).AsTask();

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class ScopedHandlerRecord
    {
        public ConcurrentQueue<string> Messages { get; } = new();

        public ConcurrentQueue<object> Handlers { get; } = new();

        public int DisposedDependencies;
    }

    private sealed class ScopedDependency(ScopedHandlerRecord record) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            Interlocked.Increment(ref record.DisposedDependencies);
            return ValueTask.CompletedTask;
        }
    }

    private sealed class ScopedHandler(ScopedHandlerRecord record, ScopedDependency dependency) : IShmMessageHandler<string>
    {
        public ValueTask HandleAsync(string message, CancellationToken cancellationToken)
        {
            Assert.NotNull(dependency);
            record.Messages.Enqueue(message);
            record.Handlers.Enqueue(this);
            return ValueTask.CompletedTask;
        }
    }
}
