// What a process pays in private memory for each channel, producer and consumer, and what a channel takes of shared memory.

using ShmIpc.Benchmarks.Contenders;
using ShmIpc.Benchmarks.Topology;

namespace ShmIpc.Benchmarks.Scenarios;

internal sealed class PrivateMemory : Scenario
{
    private const int LaneCapacityBytes = 4 * 1024; // shared, and many of them

    private readonly ManagedGroup _memory =
        new("ShmIpc", new PartSettings { Part = Part.CountMemory, LaneCapacityBytes = LaneCapacityBytes, IsAlone = true });

    public PrivateMemory()
        : base("memory")
    {
    }

    public override Section Section => Section.Costs;

    public override IReadOnlyList<Contender> Contenders => [_memory];

    public override IEnumerable<Comparison> Comparisons =>
    [
        new("private memory of an open channel", Metric.ChannelMemory, _memory, null),
        new("managed heap of an open channel", Metric.ChannelHeap, _memory, null),
        new("private memory of a producer", Metric.ProducerMemory, _memory, null),
        new("managed heap of a producer", Metric.ProducerHeap, _memory, null),
        new("private memory of a consumer", Metric.ConsumerMemory, _memory, null),
        new("managed heap of a consumer", Metric.ConsumerHeap, _memory, null),
        new("file of a channel with one producer, all at default: length", Metric.RegionLength, _memory, null),
        new("file of a channel with one producer, all at default: shared memory", Metric.RegionMemory, _memory, null),
    ];

    public override int MostRepetitions(Plan plan) => 3;
}
