// `part SETTINGS`: plays one part of a topology in a process of its own, pinned to one processor, and prints one JSON line.

using System.Diagnostics;
using ShmIpc.Benchmarks.Measuring;

namespace ShmIpc.Benchmarks.Topology;

internal static class PartProgram
{
    public const string Verb = "part";

    public static int Run(string argument)
    {
        PartSettings settings = PartSettings.FromArgument(argument);
        Lifeline lifeline = new();
        using (Process self = Process.GetCurrentProcess())
        {
            self.ProcessorAffinity = (nint)(1L << settings.Cpu); // the main thread and those it starts
        }

        Sample sample = Create(settings).Run(lifeline);
        Console.Out.WriteLine(sample.ToLine());
        return 0;
    }

    private static IPart Create(PartSettings settings) => settings.Part switch
    {
        Part.Collect => new Collector(settings),
        Part.Feed => new Feeder(settings),
        Part.Publish => new Publisher(settings),
        Part.PublishBursts => new BurstPublisher(settings),
        Part.Subscribe => new Subscriber(settings),
        Part.ReadGroups => new GroupReader(settings),
        Part.Host => new Host(settings),
        Part.Attach => new AttachTimer(settings),
        Part.Idle or Part.IdleAwait or Part.IdleSleep => new IdleConsumer(settings),
        Part.CountMemory => new MemoryCounter(settings),
        Part.Hold => new Holder(settings),
        Part.BeBlocked => new BlockedProducer(settings),
        _ => throw new ArgumentOutOfRangeException(nameof(settings), settings.Part, "Nobody plays this part."),
    };
}
