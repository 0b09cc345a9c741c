using System.Diagnostics.CodeAnalysis;
using ShmIpc.Channels;
using ShmIpc.Diagnostics;
using ShmIpc.Memory;
using ShmIpc.Serialization;
using ShmIpc.Values;
using ShmIpc.Workers;

namespace ShmIpc.Tests.Documents;

/// <summary>What README.md, docs/shared-value.md and docs/persistence.md show, given the names that it uses: compiled, and not run. What the README shows of the generic
/// host is in the hosting tests.</summary>
[SuppressMessage("Style", "IDE0059", Justification = "As the documents have it.")]
internal static class ReadmeDocument
{
    public static void OneProcess()
    {
        // one process
        using var quotes = ShmChannel.CreateOrOpen<Quote>("quotes");
        using var producer = quotes.CreateProducer();

        producer.TryWrite(new Quote("MSFT", 431.20));
    }

    public static async Task AnotherProcess(CancellationToken ct)
    {
        // another
        using var quotes = ShmChannel.CreateOrOpen<Quote>("quotes");
        using var consumer = quotes.CreateConsumer();

        await foreach (Quote q in consumer.ReadAllAsync(ct))
            Console.WriteLine(q);
    }

    public static void InPlace(Camera camera)
    {
        using var channel = ShmByteChannel.CreateOrOpen("frames", new ShmChannelOptions { LaneCapacityBytes = 64 << 20 });

        using var producer = channel.CreateProducer();
        using (Claim claim = producer.Claim(1 << 20))      // memory of the channel itself; waits for room
        {
            int length = camera.Capture(claim.Span);
            claim.Commit(length);                          // or dispose without: nothing happened
        }

        using var consumer = channel.CreateConsumer();
        while (consumer.WaitToRead(TimeSpan.FromSeconds(1)))
            while (consumer.TryRead(out ShmRecord record))
                Process(record.Payload);                   // read-only, in place, valid until the next read
    }

    public static async Task Groups(ShmChannel<Job> jobs, CancellationToken ct)
    {
        ConsumerOptions workers = new() { Group = "workers", Kind = GroupKind.Shared, Durable = true, Acknowledge = AcknowledgeMode.Manual };
        using Consumer<Job> consumer = jobs.CreateConsumer(workers);    // in as many processes as you like

        await foreach (Delivery<Job> delivery in consumer.ReceiveAllAsync(ct))
        {
            Work(delivery.Message);
            delivery.Acknowledge();                                     // killed before this: another worker gets it, DeliveryCount is 2
        }
    }

    public static void LatestValue()
    {
        using var state = SharedValue.CreateOrOpen<State>("state");
        using (var writer = state.CreateWriter()) writer.Write(new State("ready"));

        if (state.TryRead(out State? latest)) Console.WriteLine(latest);
    }

    [SuppressMessage("Reliability", "CA2016", Justification = "As the document has it.")]
    public static async Task Pool(string[] args, IEnumerable<Job> jobs, CancellationToken ct)
    {
        WorkerPool.RunIfWorker(args);                                                // the first line of Main
        await using var pool = await WorkerPool.StartAsync<Job, Picture>(Render, new() { Workers = 4 });      // Render: a static method
        await foreach (Picture picture in pool.RunAsync(jobs, ct)) Save(picture);    // in the order of the jobs
    }

    public static void Toolkit()
    {
        using var log = MappedFile.Open("server.log", new() { Access = MemoryAccess.ReadOnly });
        foreach (LineRange line in log.LinesWith("error"u8)) log.Read(line.Offset, (int)line.LengthBytes, bytes => Show(bytes));

        using var table = MemoryMapping.MapAnonymous(1L << 30, new() { HugePages = HugePages.Try(HugePageSize.TwoMebibytes) });
        foreach (Finding finding in Doctor.Run()) Console.WriteLine(finding);        // what this machine is set up for, and what is in the way
    }

    public static void Payloads()
    {
        using var ticks = ShmChannel.CreateOrOpen("ticks", new BlittablePayload<Tick>());       // a struct as it lies in memory
        using var lines = ShmChannel.CreateOrOpen("lines", new StringPayload());
        using var reports = ShmChannel.CreateOrOpen("reports", new BrotliPayload<string>(new StringPayload()));
    }

    public static void OnDisk()
    {
        ShmChannelOptions durable = new() { Root = "/var/lib/quotes", Flush = ShmFlushMode.Sync };     // a write returns when it is on the disk
        using var quotes = ShmChannel.CreateOrOpen<Quote>("quotes", durable);
    }

    public static void PersistenceDocument()
    {
        ShmChannelOptions options = new() { Root = "/var/lib/quotes", Flush = ShmFlushMode.Sync };
        using var channel = ShmChannel.CreateOrOpen<Quote>("quotes", options);
    }

    public static void WriterOfSharedValueDocument()
    {
        // one process
        using var state = SharedValue.CreateOrOpen<State>("state");
        using var writer = state.CreateWriter();

        writer.Write(new State("ready"));
    }

    public static async Task ReadersOfSharedValueDocument(CancellationToken ct)
    {
        // any others
        using var state = SharedValue.CreateOrOpen<State>("state");

        if (state.TryRead(out State? latest)) Show(latest);
        await foreach (State s in state.ReadAllChangesAsync(ct)) Show(s);
    }

    private static void Process(ReadOnlySpan<byte> payload) => _ = payload;

    private static void Show(ReadOnlySpan<byte> bytes) => _ = bytes;

    private static void Show(State state) => _ = state;

    private static void Work(Job job) => _ = job;

    private static void Save(Picture picture) => _ = picture;

    private static Picture Render(Job job, WorkerContext context) => new(job.Name);

    public sealed record Quote(string Symbol, double Price);

    public sealed record Job(string Name);

    public sealed record Picture(string Name);

    public sealed record State(string Name);

    public readonly record struct Tick(long Id, double Price);

    internal sealed class Camera
    {
        private int _frames;

        public int Capture(Span<byte> frame) => frame.Length - ++_frames;
    }
}
