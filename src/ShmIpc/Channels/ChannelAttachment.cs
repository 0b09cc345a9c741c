// What ShmChannel<T> and ShmByteChannel have in common: the attachment, and how often it may be disposed (any number of times).

using ShmIpc.Memory;
using ShmIpc.Regions;

namespace ShmIpc.Channels;

internal sealed class ChannelAttachment(string name, string payloadFormat, ShmChannelOptions? options, ChannelOpenMode mode) : IDisposable
{
    private readonly ChannelRegion _region = ChannelRegion.Attach(name, payloadFormat, options, mode);
    private int _isDisposed;

    public ChannelRegion Region => _region;

    public int ProducerCount => Use().Participants.CountAlive(ParticipantRole.Producer);

    public int ConsumerCount => Use().Groups.CountLiving();

    public ChannelProducer CreateProducer() => new(Use());

    public ChannelConsumer CreateConsumer() => new(Use());

    public void Dispose()
    {
        if (Atomics.Exchange(ref _isDisposed, 1) == 0)
        {
            _region.ReleaseReference();
        }
    }

    private ChannelRegion Use() =>
        Atomics.Acquire(ref _isDisposed) == 0 ? _region : throw new ObjectDisposedException($"channel {_region.Name}");
}
