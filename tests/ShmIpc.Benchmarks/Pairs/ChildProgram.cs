// `child SETTINGS`: plays one role in a process of its own, on the main thread, pinned to one processor, and prints one JSON line.

using System.Diagnostics;
using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Transports;

namespace ShmIpc.Benchmarks.Pairs;

internal static class ChildProgram
{
    public const string Verb = "child";

    public static int Run(string argument)
    {
        ChildSettings settings = ChildSettings.FromArgument(argument);
        Lifeline lifeline = new();
        using (Process self = Process.GetCurrentProcess())
        {
            // This pins the main thread, which is the measured one, and those it starts; the runtime's earlier threads stay free.
            self.ProcessorAffinity = (nint)(1L << settings.Cpu);
        }

        Sample sample = OpenTransports.Run(settings, lifeline);
        Console.Out.WriteLine(sample.ToLine());
        return 0;
    }
}
