using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ShmIpc.Channels;

namespace ShmIpc.Hosting.Tests.Documents;

/// <summary>What README.md shows of the generic host, given the names that it uses: compiled, and not run. That each piece of the document is in some test is
/// checked by DocumentedCodeTests.</summary>
internal static class HostingDocument
{
    public static void Services(IHostApplicationBuilder builder, Engine engine, Worker worker)
    {
        builder.Services.AddShmIpc(builder.Configuration.GetSection("ShmIpc"))
            .AddProducer<Quote>("quotes")                                            // inject Producer<Quote> or ChannelWriter<Quote>
            .AddConsumer<Order>("orders", (order, ct) => engine.AcceptAsync(order, ct))
            .AddConsumer<Job>("jobs", (job, ct) => worker.DoAsync(job, ct),          // a pool of workers: every host that says so shares the jobs
                options => (options.Group, options.Kind, options.Durable) = ("workers", GroupKind.Shared, true));
    }

    public sealed record Quote(string Symbol, double Price);

    public sealed record Order(string Name);

    public sealed record Job(string Name);

    internal sealed class Engine
    {
        public Order? Last { get; private set; }

        public ValueTask AcceptAsync(Order order, CancellationToken ct)
        {
            ct.ThrowIfCancellationRequested();
            Last = order;
            return default;
        }
    }

    internal sealed class Worker
    {
        public Job? Last { get; private set; }

        public ValueTask DoAsync(Job job, CancellationToken ct)
        {
            ct.ThrowIfCancellationRequested();
            Last = job;
            return default;
        }
    }
}
