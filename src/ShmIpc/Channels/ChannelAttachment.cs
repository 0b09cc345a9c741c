// What ShmChannel<T> and ShmByteChannel have in common: the attachment, and how often it may be disposed (any number of times).
//
// Waiting for a lane looks again every few milliseconds: no death rings a doorbell, so a look is needed in any case. It writes nothing and
// spends no stamp (ChannelRegion.HasFreeLane), which makes it cheap enough to serve for departures as well.

using ShmIpc.Memory;
using ShmIpc.Regions;
using ShmIpc.Waiting;

namespace ShmIpc.Channels;

internal sealed class ChannelAttachment(
    string name, string payloadFormat, ulong payloadSchema, ShmChannelOptions? options, ChannelOpenMode mode) : IDisposable
{
    private readonly ChannelRegion _region = ChannelRegion.Attach(name, payloadFormat, payloadSchema, options, mode);
    private readonly HomeProcess _home = HomeProcess.Current();
    private static readonly TimeSpan _lookInterval = TimeSpan.FromMilliseconds(10);
    private int _isDisposed;

    public ChannelRegion Region => _region;

    public int ProducerCount => Use(static region => region.Participants.CountAlive(ParticipantRole.Producer));

    public int ConsumerCount => Use(static region => region.Groups.CountLiving());

    public long DroppedMessages => Use(static region => region.DroppedMessages());

    public ChannelProducer CreateProducer() => Use(static region => new ChannelProducer(region));

    public ChannelConsumer CreateConsumer(ConsumerOptions? options) => Use(region => new ChannelConsumer(region, options));

    public IReadOnlyList<ShmGroup> Groups => Use(GroupListing.List);

    public bool DeleteGroup(string name) => Use(region => region.DeleteGroup(name));

    public ChannelConsumer CreateObserver(StartPosition start)
    {
        if (!Enum.IsDefined(start))
        {
            throw new ArgumentOutOfRangeException(nameof(start), start, "The start must be Earliest or Latest.");
        }

        return Use(region => new ChannelConsumer(region, start));
    }

    /// <summary>Waits for a lane.</summary>
    /// <exception cref="TimeoutException">No lane became free in time.</exception>
    public ChannelProducer CreateProducer(TimeSpan timeout, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        Deadline deadline = new(timeout);
        ChannelProducer? producer;
        while ((producer = TryCreateProducer(deadline)) is null)
        {
            cancellation.WaitHandle.WaitOne(UntilNextLook(deadline));
            cancellation.ThrowIfCancellationRequested();
        }

        return producer;
    }

    /// <summary>Awaits a lane.</summary>
    /// <inheritdoc cref="CreateProducer(TimeSpan, CancellationToken)" path="/exception"/>
    public async Task<ChannelProducer> CreateProducerAsync(TimeSpan timeout, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        Deadline deadline = new(timeout);
        ChannelProducer? producer;
        while ((producer = TryCreateProducer(deadline)) is null)
        {
            await Task.Delay(UntilNextLook(deadline), cancellation).ConfigureAwait(false);
        }

        return producer;
    }

    public void Dispose()
    {
        if (Atomics.Exchange(ref _isDisposed, 1) == 0)
        {
            _region.ReleaseReference();
        }
    }

    private static TimeSpan UntilNextLook(Deadline deadline) => deadline.Left < _lookInterval ? deadline.Left : _lookInterval;

    /// <summary>Null when every lane is held and there is time left.</summary>
    private ChannelProducer? TryCreateProducer(Deadline deadline) => Use(region =>
    {
        region.ThrowIfDeleted();
        ShmLimitException limit;
        if (region.HasFreeLane())
        {
            try
            {
                return new ChannelProducer(region);
            }
            catch (ShmLimitException reached) // somebody was faster, or who left its lane has not left its participant's slot yet
            {
                limit = reached;
            }
        }
        else if (!deadline.IsOver)
        {
            return null;
        }
        else
        {
            limit = region.NoFreeLane();
        }

        return deadline.IsOver
            ? throw new TimeoutException($"No lane became free within {deadline.Asked}. {limit.Message}", limit)
            : null;
    });

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
