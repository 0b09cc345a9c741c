// `child SETTINGS`: plays one role in a process of its own, on the main thread, pinned to one processor, and prints one JSON line.

using System.Diagnostics;
using System.Text.Json;
using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Transports;
using ShmIpc.Benchmarks.Transports.OfChannels;
using ShmIpc.Channels;

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

        Sample sample = settings.Transport is Transport.Channel or Transport.ChannelClaim or Transport.ChannelBatch
            ? OverChannel(settings, lifeline)
            : OtherTransports.Run(settings, lifeline);
        Console.Out.WriteLine(JsonSerializer.Serialize(sample, JsonLine.Options));
        return 0;
    }

    private static Sample OverChannel(ChildSettings settings, Lifeline lifeline)
    {
        using ChannelEnds ends = new(settings);
        switch (settings.Role)
        {
            case Role.Ping:
                ChannelReceiver replies = new(ends.Consumer("back"));
                return new Ping<ChannelSender, ChannelReceiver>(new(ends.Producer("there")), replies, settings).Run();
            case Role.Echo:
                ChannelReceiver requests = new(ends.Consumer("there"));
                return new Echo<ChannelSender, ChannelReceiver>(new(ends.Producer("back")), requests, settings).Run();
            case Role.Alone:
                ChannelReceiver own = new(ends.Consumer("there"));
                return new Alone<ChannelSender, ChannelReceiver>(new(ends.Producer("there")), own, settings).Run();
            case Role.Receiver when settings.Transport == Transport.ChannelBatch:
                return new BatchReceiver(ends.Consumer("there"), settings).Run();
            case Role.Sender when settings.Transport == Transport.ChannelBatch:
                return new BatchSender(ends.Producer("there"), lifeline, settings).Run();
            case Role.Receiver:
                return new Receiver<ChannelReceiver>(new(ends.Consumer("there")), settings).Run();
            case Role.Sender when settings.Transport == Transport.ChannelClaim:
                return new Sender<ChannelClaimSender>(new(ends.Producer("there")), lifeline, settings).Run();
            default:
                return new Sender<ChannelSender>(new(ends.Producer("there")), lifeline, settings).Run();
        }
    }
}
