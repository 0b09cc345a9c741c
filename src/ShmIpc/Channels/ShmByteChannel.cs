using ShmIpc.Serialization;

namespace ShmIpc.Channels;

/// <summary>A named channel of raw bytes between the processes of this machine: messages are claimed, written and read in place.</summary>
/// <remarks>Disposing it detaches this object; its producers and consumers stay usable, and the channel itself stays for other processes
/// until it is deleted with <see cref="ShmChannel.Delete"/>.</remarks>
public sealed class ShmByteChannel : IDisposable
{
    private const string Format = "bytes";
    private readonly ChannelAttachment _attachment;

    private ShmByteChannel(string name, ShmChannelOptions? options, ChannelOpenMode mode)
    {
        _attachment = new ChannelAttachment(name, Format, 0, options, mode);
    }

    /// <summary>The channel's name.</summary>
    public string Name => _attachment.Region.Name;

    /// <summary>Bytes of ring buffer for each producer.</summary>
    public long LaneCapacityBytes => _attachment.Region.Geometry.LaneCapacityBytes;

    /// <summary>Largest message in bytes: half of the lane's capacity, less 16.</summary>
    public int MaxMessageBytes => _attachment.Region.MaxMessageBytes;

    /// <summary>What happens to a message for which there is no room.</summary>
    public ShmFullMode FullMode => _attachment.Region.Settings.FullMode;

    /// <summary>How long a consumer may leave a producer without room before it is thrown out; null for ever.</summary>
    public TimeSpan? EvictAfter => _attachment.Region.Settings.EvictAfter;

    /// <summary>Producers that are alive now, in all processes.</summary>
    public int ProducerCount => _attachment.ProducerCount;

    /// <summary>Consumers that are alive now, in all processes, and for which producers wait: what is published once a consumer counts is
    /// there for it. One that is still being made does not count, nor does an observer. Where nobody waits
    /// (<see cref="ShmFullMode.DropOldest"/>), a consumer counts from the instant at which its start stands.</summary>
    public int ConsumerCount => _attachment.ConsumerCount;

    /// <inheritdoc cref="ShmChannel.CreateOrOpen{T}(string, IPayloadSerializer{T}, ShmChannelOptions?)"/>
    public static ShmByteChannel CreateOrOpen(string name, ShmChannelOptions? options = null) =>
        new(name, options, ChannelOpenMode.CreateOrOpen);

    /// <inheritdoc cref="ShmChannel.Create{T}(string, IPayloadSerializer{T}, ShmChannelOptions?)"/>
    public static ShmByteChannel Create(string name, ShmChannelOptions? options = null) => new(name, options, ChannelOpenMode.Create);

    /// <inheritdoc cref="ShmChannel.Open{T}(string, IPayloadSerializer{T}, ShmChannelOptions?)"/>
    public static ShmByteChannel Open(string name, ShmChannelOptions? options = null) => new(name, options, ChannelOpenMode.Open);

    /// <summary>Messages that producers have dropped because there was no room for them, since the channel was created; 0 unless the full
    /// mode is <see cref="ShmFullMode.DropWrite"/>. Producers that are gone, or died, are included.</summary>
    public long DroppedMessages => _attachment.DroppedMessages;

    /// <summary>Joins as a producer.</summary>
    /// <exception cref="ShmLimitException">As many producers as the channel allows are alive; the message names their
    /// processes.</exception>
    /// <exception cref="ShmNoSpaceException">Shared memory has no room for another lane.</exception>
    /// <exception cref="ShmRegionDeletedException">The channel was deleted.</exception>
    public ByteProducer CreateProducer() => new(_attachment.CreateProducer());

    /// <summary>Joins as a producer, and waits for a lane when living producers hold all of them: until one leaves or dies.</summary>
    /// <param name="timeout">Longest wait; zero for one look, <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TimeoutException">No lane became free within <paramref name="timeout"/>; the message names the processes that
    /// hold them.</exception>
    /// <exception cref="ShmNoSpaceException">Shared memory has no room for another lane.</exception>
    /// <exception cref="ShmRegionDeletedException">The channel was deleted.</exception>
    /// <remarks>Those who wait are served in no particular order. A lane is looked for every 10 ms.</remarks>
    public ByteProducer CreateProducer(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        new(_attachment.CreateProducer(timeout, cancellationToken));

    /// <summary>Joins as a producer, and awaits a lane when living producers hold all of them: until one leaves or dies.</summary>
    /// <inheritdoc cref="CreateProducer(TimeSpan, CancellationToken)"/>
    public async Task<ByteProducer> CreateProducerAsync(TimeSpan timeout, CancellationToken cancellationToken = default) =>
        new(await _attachment.CreateProducerAsync(timeout, cancellationToken).ConfigureAwait(false));

    /// <summary>Joins as a consumer. By itself it sees every message, starting with the oldest that is still there; in a named group it
    /// shares the messages with the other members.</summary>
    /// <param name="options">Which group to join, and how. Null: a group of its own.</param>
    /// <exception cref="ArgumentException">The options are out of range, or do not go together.</exception>
    /// <exception cref="ShmGroupException">The group exists and is of another kind.</exception>
    /// <exception cref="ShmLimitException">As many groups or participants as the channel allows are there.</exception>
    /// <exception cref="ShmRegionDeletedException">The channel was deleted.</exception>
    public ByteConsumer CreateConsumer(ConsumerOptions? options = null) => new(_attachment.CreateConsumer(options));

    /// <summary>The groups that there are now, with their living members and how far each is behind.</summary>
    /// <remarks>Each look maps the channel's lanes and asks the kernel about every member: for monitoring, not for every message.</remarks>
    /// <exception cref="ShmRegionDeletedException">The channel was deleted.</exception>
    public IReadOnlyList<ShmGroup> Groups => _attachment.Groups;

    /// <summary>Deletes a named group of consumers, durable or not; its messages are kept for it no longer.</summary>
    /// <param name="name">The group's name.</param>
    /// <returns>False when there is none.</returns>
    /// <exception cref="ShmGroupException">The group has living members.</exception>
    /// <exception cref="ShmLimitException">The channel has as many participants as it allows.</exception>
    public bool DeleteGroup(string name) => _attachment.DeleteGroup(name);

    /// <summary>Joins as an observer: it sees every message, as a consumer does, but producers neither wait for it nor know of it. It
    /// copies each message and checks that it was not overwritten meanwhile; when it is too slow it goes on with the oldest message that is
    /// still there, and <see cref="ByteConsumer.LostMessages"/> says how many it lost.</summary>
    /// <param name="start">Where it starts.</param>
    /// <remarks>It takes one of the channel's <see cref="ShmChannelOptions.MaxParticipants"/>, and none of its
    /// <see cref="ShmChannelOptions.MaxGroups"/>.</remarks>
    /// <exception cref="ShmLimitException">As many producers, consumers and observers as the channel allows are alive.</exception>
    /// <exception cref="ShmRegionDeletedException">The channel was deleted.</exception>
    public ByteConsumer CreateObserver(StartPosition start) => new(_attachment.CreateObserver(start));

    /// <summary>Detaches. Producers and consumers that were made here stay usable.</summary>
    public void Dispose() => _attachment.Dispose();
}
