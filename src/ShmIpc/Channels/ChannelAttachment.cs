// What ShmChannel<T> and ShmByteChannel have in common: the attachment, and how often it may be disposed (any number of times).

using ShmIpc.Memory;
using ShmIpc.Regions;

namespace ShmIpc.Channels;

internal sealed class ChannelAttachment(
    string name, string payloadFormat, ulong payloadSchema, ShmChannelOptions? options, ChannelOpenMode mode) : IDisposable
{
    private readonly ChannelRegion _region = ChannelRegion.Attach(name, payloadFormat, payloadSchema, options, mode);
    private readonly HomeProcess _home = HomeProcess.Current();
    private int _isDisposed;

    public ChannelRegion Region => _region;

    public int ProducerCount => Use(static region => region.Participants.CountAlive(ParticipantRole.Producer));

    public int ConsumerCount => Use(static region => region.Groups.CountLiving());

    public ChannelProducer CreateProducer() => Use(static region => new ChannelProducer(region));

    public ChannelConsumer CreateConsumer(ConsumerOptions? options) => Use(region => new ChannelConsumer(region, options));

    public IReadOnlyList<ShmGroup> Groups => Use(GroupListing.List);

    public bool DeleteGroup(string name) => Use(region => region.DeleteGroup(name));

    public void Dispose()
    {
        if (Atomics.Exchange(ref _isDisposed, 1) == 0)
        {
            _region.ReleaseReference();
        }
    }

    // With a reference of its own, so that a Dispose on another thread unmaps nothing under it.
    private T Use<T>(Func<ChannelRegion, T> use)
    {
        ObjectDisposedException.ThrowIf(Atomics.Acquire(ref _isDisposed) != 0, _region);
        _home.Require($"channel {_region.Name}");
        _region.AddReference();
        try
        {
            return use(_region);
        }
        finally
        {
            _region.ReleaseReference();
        }
    }
}
