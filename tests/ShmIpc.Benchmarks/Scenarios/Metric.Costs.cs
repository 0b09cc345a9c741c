// Costs other than speed.

using ShmIpc.Benchmarks.Contenders;
using ShmIpc.Benchmarks.Topology;

namespace ShmIpc.Benchmarks.Scenarios;

internal sealed partial record Metric
{
    /// <summary>The median burst's.</summary>
    public static readonly Metric PublishingCpu = new("processor time of publishing", false, o => o.Measured.TypicalNs, Time);

    public static readonly Metric AttachConsumer = Figure("open and create a consumer", AttachTimer.ConsumerNs, Time);

    public static readonly Metric AttachProducer = Figure("open and create a producer", AttachTimer.ProducerNs, Time);

    public static readonly Metric Create = Figure("create a channel", AttachTimer.CreateNs, Time);

    public static readonly Metric IdleCpu = Figure("processor time", IdleConsumer.CpuPercent, Percent);

    public static readonly Metric WakeUps = Figure("wake-ups a second", IdleConsumer.WakeUpsPerSecond, TimesPerSecond);

    public static readonly Metric ChannelMemory = Figure("private memory", MemoryCounter.ChannelBytes, Size);

    public static readonly Metric ProducerMemory = Figure("private memory", MemoryCounter.ProducerBytes, Size);

    public static readonly Metric ConsumerMemory = Figure("private memory", MemoryCounter.ConsumerBytes, Size);

    public static readonly Metric ChannelHeap = Figure("managed heap", MemoryCounter.ChannelHeapBytes, Size);

    public static readonly Metric ProducerHeap = Figure("managed heap", MemoryCounter.ProducerHeapBytes, Size);

    public static readonly Metric ConsumerHeap = Figure("managed heap", MemoryCounter.ConsumerHeapBytes, Size);

    public static readonly Metric RegionLength = Figure("length of the file", MemoryCounter.RegionBytes, Size);

    public static readonly Metric RegionMemory = Figure("shared memory", MemoryCounter.RegionAllocatedBytes, Size);

    private static Metric Figure(string name, string figure, Func<double, string> format) =>
        new(name, false, (Observation o) => o.Measured.Figures![figure], format);
}
