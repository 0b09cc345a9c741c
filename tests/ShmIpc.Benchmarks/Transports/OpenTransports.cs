// Opens the ends of a transport that a role needs, and plays it.

using System.Buffers;
using System.Net.Sockets;
using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Pairs;
using ShmIpc.Benchmarks.Transports.InProcess;
using ShmIpc.Benchmarks.Transports.OfChannels;
using ShmIpc.Benchmarks.Transports.Rings;
using ShmIpc.Benchmarks.Transports.Streams;
using ShmIpc.Serialization;

namespace ShmIpc.Benchmarks.Transports;

internal static class OpenTransports
{
    private const string There = "there";
    private const string Back = "back";

    public static Sample Run(ChildSettings settings, Lifeline lifeline) => settings.Transport switch
    {
        Transport.Channel or Transport.ChannelClaim or Transport.ChannelBatch => OverChannel(settings, lifeline),
        Transport.UnixSocket => OverUnixSocket(settings, lifeline),
        Transport.Pipe => OverPipes(settings, lifeline),
        Transport.NetMq => OverNetMq(settings, lifeline),
        Transport.SequenceRing => OverSequenceRing(settings, lifeline),
        Transport.ThreadingChannel => ThreadingChannels.Run(settings, lifeline),
        Transport.MessagePackAlone => OverMessagePackAlone(settings),
        Transport.Order => OverOrders(settings, lifeline),
        _ => OverBlocks(settings, lifeline),
    };

    /// <summary>The part of one process, whose reading end is opened before its writing end.</summary>
    public static Sample Play<TSender, TReceiver>(
        ChildSettings settings, Lifeline lifeline, Func<string, TSender> openSender, Func<string, TReceiver> openReceiver)
        where TSender : struct, ISender
        where TReceiver : struct, IReceiver
    {
        switch (settings.Role)
        {
            case Role.Ping:
                TReceiver replies = openReceiver(Back);
                return new Ping<TSender, TReceiver>(openSender(There), replies, settings).Run();
            case Role.Echo:
                TReceiver requests = openReceiver(There);
                return new Echo<TSender, TReceiver>(openSender(Back), requests, settings).Run();
            case Role.Alone:
                TReceiver own = openReceiver(There);
                return new Alone<TSender, TReceiver>(openSender(There), own, settings).Run();
            case Role.Receiver:
                return new Receiver<TReceiver>(openReceiver(There), settings).Run();
            default:
                return new Sender<TSender>(openSender(There), lifeline, settings).Run();
        }
    }

    private static Sample OverChannel(ChildSettings settings, Lifeline lifeline)
    {
        using ChannelEnds ends = new(settings);
        return settings switch
        {
            { Transport: Transport.ChannelBatch, Role: Role.Receiver } => new BatchReceiver(ends.Consumer(There), settings).Run(),
            { Transport: Transport.ChannelBatch, Role: Role.Sender } => new BatchSender(ends.Producer(There), lifeline, settings).Run(),
            { Transport: Transport.ChannelClaim } => Play(
                settings, lifeline, name => new ChannelClaimSender(ends.Producer(name)), name => new ChannelReceiver(ends.Consumer(name))),
            _ => Play(
                settings, lifeline, name => new ChannelSender(ends.Producer(name)), name => new ChannelReceiver(ends.Consumer(name))),
        };
    }

    private static Sample OverUnixSocket(ChildSettings settings, Lifeline lifeline)
    {
        using Socket socket = UnixEnds.Connect(settings);
        return Play(
            settings,
            lifeline,
            _ => new UnixSender(socket, settings.PayloadBytes),
            _ => new FrameReceiver(new Frames(buffer => socket.Receive(buffer))));
    }

    private static Sample OverPipes(ChildSettings settings, Lifeline lifeline)
    {
        using PipeEnds ends = new(settings);
        return Play(settings, lifeline, _ => new PipeSender(ends.Writing, settings.PayloadBytes), _ => new FrameReceiver(ends.Frames));
    }

    private static Sample OverNetMq(ChildSettings settings, Lifeline lifeline)
    {
        using NetMqEnd end = new(settings);
        return Play(settings, lifeline, _ => new NetMqSender(end.Socket, lifeline), _ => new NetMqReceiver(end.Socket));
    }

    private static Sample OverSequenceRing(ChildSettings settings, Lifeline lifeline)
    {
        List<SequenceRing> rings = [];
        try
        {
            return Play(
                settings,
                lifeline,
                name => new SequenceRingSender(Keep(SequenceRing.Open(settings, name)), lifeline),
                name => new SequenceRingReceiver(Keep(SequenceRing.Create(settings, name))));
        }
        finally
        {
            rings.ForEach(ring => ring.Dispose());
        }

        SequenceRing Keep(SequenceRing ring)
        {
            rings.Add(ring);
            return ring;
        }
    }

    private static Sample OverBlocks(ChildSettings settings, Lifeline lifeline)
    {
        using TypedEnds<Block> ends = new(settings, new BlittablePayload<Block>());
        return settings switch
        {
            { Transport: Transport.BlockAsync, Role: Role.Receiver } => new AsyncReceiver(ends.Consumer(There), settings).Run(),
            { Transport: Transport.BlockAsync, Role: Role.Echo } => AsyncEcho(),
            _ => Play(
                settings, lifeline, name => new BlockSender(ends.Producer(name)), name => new BlockReceiver(ends.Consumer(name))),
        };

        Sample AsyncEcho()
        {
            Channels.Consumer<Block> requests = ends.Consumer(There);
            return new AsyncEcho(ends.Producer(Back), requests).Run();
        }
    }

    private static Sample OverOrders(ChildSettings settings, Lifeline lifeline)
    {
        using TypedEnds<Order> ends = new(settings, new MessagePackPayload<Order>());
        return Play(
            settings,
            lifeline,
            name => new OrderSender(ends.Producer(name), Order.Sample()),
            name => new OrderReceiver(ends.Consumer(name)));
    }

    private static Sample OverMessagePackAlone(ChildSettings settings)
    {
        ArrayBufferWriter<byte> buffer = new(1024);
        return new Alone<SerializingSender, DeserializingReceiver>(new(buffer, Order.Sample()), new(buffer), settings).Run();
    }
}
