// A channel in a file on a disk, with each flush mode, one producer and one reader; and what several writing threads gain when each write
// waits for the disk, because they share the trips.

using ShmIpc.Benchmarks.Contenders;
using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Topology;
using ShmIpc.Channels;

namespace ShmIpc.Benchmarks.Scenarios;

internal sealed class DiskFlush(int payloadBytes) : Scenario($"disk-{payloadBytes}")
{
    private const int Writers = 4;

    private readonly ManagedGroup _memory = Group("in /dev/shm", payloadBytes, null);
    private readonly ManagedGroup _none = Group("Flush = None", payloadBytes, ShmFlushMode.None);
    private readonly ManagedGroup _async = Group("Flush = Async", payloadBytes, ShmFlushMode.Async);
    private readonly ManagedGroup _sync = Group("Flush = Sync", payloadBytes, ShmFlushMode.Sync);
    private readonly ManagedGroup _threads = Group($"Flush = Sync, {Writers} threads", payloadBytes, ShmFlushMode.Sync, Writers);

    public override Section Section => Section.Durability;

    public override IReadOnlyList<Contender> Contenders => [_memory, _none, _async, _sync, _threads];

    public override IEnumerable<Comparison> Comparisons =>
    [
        new($"on a disk, {payloadBytes} B, Flush = None", Metric.Rate, _none, _memory),
        new($"on a disk, {payloadBytes} B, Flush = Async", Metric.Rate, _async, _memory),
        new($"on a disk, {payloadBytes} B, Flush = Sync", Metric.Rate, _sync, _memory),
        new($"on a disk, {payloadBytes} B, Flush = Sync, one write", Metric.Typical, _sync, null),
        new($"on a disk, {payloadBytes} B, Flush = Sync, {Writers} writing threads", Metric.Rate, _threads, _sync),
    ];

    public override int MostRepetitions(Plan plan) => TopologyScenarios.OfCurve;

    private static ManagedGroup Group(string name, int payloadBytes, ShmFlushMode? flush, int threads = 1) => new(
        name,
        new PartSettings
        {
            Part = Part.Publish,
            PayloadBytes = payloadBytes,
            Flush = flush,
            Threads = threads,
            Batch = flush == ShmFlushMode.Sync ? 1 : Measurement.Batch,
            IsAlone = true,
        },
        new PartSettings { Part = Part.Subscribe, PayloadBytes = payloadBytes, Flush = flush })
    {
        IsOnDisk = flush is not null,
    };
}
