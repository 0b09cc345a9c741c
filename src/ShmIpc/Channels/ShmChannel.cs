using System.Diagnostics.CodeAnalysis;
using ShmIpc.Interop;
using ShmIpc.Regions;
using ShmIpc.Serialization;
using ShmIpc.Waiting;

namespace ShmIpc.Channels;

/// <summary>Opens, creates and deletes channels: <c>System.Threading.Channels</c> between processes.</summary>
/// <remarks>A name has 1 to 200 of the characters A-Z a-z 0-9 . _ - and starts with a letter or a digit.</remarks>
public static class ShmChannel
{
    private const string DynamicCode = "The default serializer is MessagePack with run-time generated formatters. Pass a serializer.";

    /// <summary>Opens a channel of MessagePack messages, or creates it when there is none of that name. Two processes that do so at once
    /// share one channel.</summary>
    /// <inheritdoc cref="CreateOrOpen{T}(string, IPayloadSerializer{T}, ShmChannelOptions?)"/>
    [RequiresDynamicCode(DynamicCode)]
    [RequiresUnreferencedCode(DynamicCode)]
    public static ShmChannel<T> CreateOrOpen<T>(string name, ShmChannelOptions? options = null) =>
        CreateOrOpen(name, new MessagePackPayload<T>(), options);

    /// <summary>Opens a channel, or creates it when there is none of that name. Two processes that do so at once share one
    /// channel.</summary>
    /// <typeparam name="T">The message type.</typeparam>
    /// <param name="name">The channel's name.</param>
    /// <param name="serializer">Turns messages into bytes and back.</param>
    /// <param name="options">Geometry, place and ways of waiting. Null: the defaults.</param>
    /// <exception cref="ArgumentException">The name breaks the rule, or an option is out of range.</exception>
    /// <exception cref="ShmRegionFormatException">What stands under the name is not such a channel; the message holds what was found and
    /// what was expected.</exception>
    /// <exception cref="ShmNoSpaceException">Shared memory has too little room.</exception>
    /// <exception cref="UnauthorizedAccessException">The channel or its directory belongs to somebody else.</exception>
    public static ShmChannel<T> CreateOrOpen<T>(string name, IPayloadSerializer<T> serializer, ShmChannelOptions? options = null) =>
        new(name, serializer, options, ChannelOpenMode.CreateOrOpen);

    /// <summary>Creates a channel of MessagePack messages.</summary>
    /// <inheritdoc cref="Create{T}(string, IPayloadSerializer{T}, ShmChannelOptions?)"/>
    [RequiresDynamicCode(DynamicCode)]
    [RequiresUnreferencedCode(DynamicCode)]
    public static ShmChannel<T> Create<T>(string name, ShmChannelOptions? options = null) =>
        Create(name, new MessagePackPayload<T>(), options);

    /// <summary>Creates a channel.</summary>
    /// <inheritdoc cref="CreateOrOpen{T}(string, IPayloadSerializer{T}, ShmChannelOptions?)"/>
    /// <exception cref="ShmRegionExistsException">The name is taken.</exception>
    public static ShmChannel<T> Create<T>(string name, IPayloadSerializer<T> serializer, ShmChannelOptions? options = null) =>
        new(name, serializer, options, ChannelOpenMode.Create);

    /// <summary>Opens an existing channel of MessagePack messages.</summary>
    /// <inheritdoc cref="Open{T}(string, IPayloadSerializer{T}, ShmChannelOptions?)"/>
    [RequiresDynamicCode(DynamicCode)]
    [RequiresUnreferencedCode(DynamicCode)]
    public static ShmChannel<T> Open<T>(string name, ShmChannelOptions? options = null) => Open(name, new MessagePackPayload<T>(), options);

    /// <summary>Opens an existing channel.</summary>
    /// <inheritdoc cref="CreateOrOpen{T}(string, IPayloadSerializer{T}, ShmChannelOptions?)"/>
    /// <exception cref="ShmRegionNotFoundException">There is no channel of that name.</exception>
    public static ShmChannel<T> Open<T>(string name, IPayloadSerializer<T> serializer, ShmChannelOptions? options = null) =>
        new(name, serializer, options, ChannelOpenMode.Open);

    /// <summary>Deletes a channel, in use or not. Whoever still uses it gets <see cref="ShmRegionDeletedException"/> at its next
    /// wait.</summary>
    /// <param name="name">The channel's name.</param>
    /// <param name="root">Directory that holds it. Null: as <see cref="ShmChannelOptions.Root"/>.</param>
    /// <returns>False when there was none.</returns>
    public static bool Delete(string name, string? root = null)
    {
        LinuxPlatform.Require();
        return RegionFile.Delete(name, root);
    }

    /// <summary>True when something stands under the name; opening it may still be refused.</summary>
    /// <param name="name">The channel's name.</param>
    /// <param name="root">Directory that holds it. Null: as <see cref="ShmChannelOptions.Root"/>.</param>
    public static bool Exists(string name, string? root = null)
    {
        LinuxPlatform.Require();
        return RegionFile.Exists(name, root);
    }

    /// <summary>Waits until one of several consumers, of the same or of different channels, can be read or has completed. Allocates
    /// nothing.</summary>
    /// <param name="consumers">1 to 127 consumers. The wait strategy of the first one's channel decides how the thread waits.</param>
    /// <param name="timeout">Longest wait; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The index of one that can be read, or of one that has completed (then its <see cref="IShmConsumer.Completion"/> is done:
    /// take it out of the list); -1 when the time is over. Each look starts at a random one, so that a busy consumer does not keep the
    /// others from being found.</returns>
    /// <remarks>Another thread that reads from the same consumer may have taken the message by the time this one does.</remarks>
    /// <exception cref="ArgumentException">There are no consumers, or more than 127.</exception>
    /// <exception cref="ShmRegionDeletedException">The channel of one of them was deleted.</exception>
    /// <exception cref="ObjectDisposedException">One of them was disposed.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public static int WaitAny(ReadOnlySpan<IShmConsumer> consumers, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        AnyWait.Wait(consumers, new Deadline(timeout), cancellationToken);

    /// <summary>Awaits until one of several consumers, of the same or of different channels, can be read or has completed.</summary>
    /// <param name="consumers">Any number of consumers, but not none.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The index of one that can be read or has completed, as from <see cref="WaitAny"/>.</returns>
    /// <exception cref="ArgumentException">There are no consumers.</exception>
    /// <inheritdoc cref="WaitAny" path="/exception[position() > 1]"/>
    public static ValueTask<int> WaitAnyAsync(ReadOnlySpan<IShmConsumer> consumers, CancellationToken cancellationToken = default) =>
        AnyAwait.WaitAsync(consumers, cancellationToken);
}
