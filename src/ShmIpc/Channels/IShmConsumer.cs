namespace ShmIpc.Channels;

/// <summary>What <see cref="Consumer{T}"/> and <see cref="ByteConsumer"/> have in common, for waiting on several of them with
/// <see cref="ShmChannel.WaitAny"/>. Only they can implement it.</summary>
public interface IShmConsumer : IDisposable
{
    /// <summary>Done when a read or a wait found that there will be no more messages; faulted with <see cref="ShmRemoteException"/> when
    /// a producer completed with an error.</summary>
    Task Completion { get; }

    internal ChannelConsumer Core { get; }

    /// <summary>Waits until there is a message.</summary>
    /// <param name="timeout">Longest wait; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>False when none came in time, or when there will be none (then <see cref="Completion"/> is done).</returns>
    bool WaitToRead(TimeSpan timeout, CancellationToken cancellationToken = default);

    /// <summary>Awaits a message. False when there will be none.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default);
}
