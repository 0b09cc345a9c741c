// System.Threading.Channels between two threads of one process, each pinned to a processor of its own: for reference. Nothing crosses a
// process boundary. Messages are structs of 64 bytes in a bounded channel as large as a lane, and both sides spin.

using System.Diagnostics;
using System.Threading.Channels;
using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Pairs;
using ShmIpc.Benchmarks.Transports.OfChannels;

namespace ShmIpc.Benchmarks.Transports.InProcess;

internal static class ThreadingChannels
{
    public static Sample Run(ChildSettings settings, Lifeline lifeline)
    {
        Channel<Block> there = Create(settings), back = Create(settings);
        ChildSettings serving = settings with { Role = settings.Role == Role.Ping ? Role.Echo : Role.Sender };
        using Process self = Process.GetCurrentProcess();
        self.ProcessorAffinity = (nint)(1L << settings.OtherCpu); // a thread starts with its creator's
        new Thread(() => Play(serving)) { IsBackground = true, Name = "server" }.Start();
        self.ProcessorAffinity = (nint)(1L << settings.Cpu);
        return Play(settings);

        Sample Play(ChildSettings own) => OpenTransports.Play(
            own,
            lifeline,
            name => new ThreadingChannelSender((name == "there" ? there : back).Writer),
            name => new ThreadingChannelReceiver((name == "there" ? there : back).Reader));
    }

    private static Channel<Block> Create(ChildSettings settings) =>
        Channel.CreateBounded<Block>(new BoundedChannelOptions((int)(settings.LaneCapacityBytes / settings.PayloadBytes))
        {
            SingleReader = true,
            SingleWriter = true,
        });
}
