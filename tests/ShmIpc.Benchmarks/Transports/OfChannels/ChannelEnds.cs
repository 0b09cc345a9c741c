// The channels of one child: `there` carries messages to the echo or receiver, `back` carries the replies.

using ShmIpc.Benchmarks.Pairs;
using ShmIpc.Channels;

namespace ShmIpc.Benchmarks.Transports.OfChannels;

internal sealed class ChannelEnds(ChildSettings settings) : IDisposable
{
    private readonly List<IDisposable> _opened = [];

    /// <summary>Waits until the channel has a consumer, so that nothing is overwritten unread. Ask for the own consumer first.</summary>
    public ByteProducer Producer(string name)
    {
        ShmByteChannel channel = Open(name);
        long deadline = Environment.TickCount64 + 10_000;
        while (channel.ConsumerCount == 0)
        {
            if (Environment.TickCount64 > deadline)
            {
                throw new TimeoutException($"Nobody came to read channel \"{name}\" within 10 s.");
            }

            Thread.Sleep(1);
        }

        return Keep(channel.CreateProducer());
    }

    public ByteConsumer Consumer(string name) => Keep(Open(name).CreateConsumer());

    public void Dispose()
    {
        for (int i = _opened.Count - 1; i >= 0; i--)
        {
            _opened[i].Dispose();
        }
    }

    private ShmByteChannel Open(string name) => Keep(ShmByteChannel.CreateOrOpen(name, new ShmChannelOptions
    {
        Root = settings.Directory,
        LaneCapacityBytes = settings.LaneCapacityBytes,
        WaitStrategy = settings.WaitStrategy,
        SingleWriter = settings.IsSingleThreaded,
        SingleReader = settings.IsSingleThreaded,
    }));

    private T Keep<T>(T opened)
        where T : IDisposable
    {
        _opened.Add(opened);
        return opened;
    }
}
