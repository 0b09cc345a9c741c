// Batches of typed messages: all are serialized into the lane before the first becomes visible.

using System.Threading.Channels;
using ShmIpc.Waiting;

namespace ShmIpc.Channels;

public sealed partial class Producer<T>
{
    /// <summary>Serializes messages into the channel, which become visible all at once. False, and nothing is published, when there is no
    /// room for all of them now, or when this producer has completed.</summary>
    /// <param name="items">The messages.</param>
    /// <exception cref="ShmMessageTooLargeException">One of the messages can never fit.</exception>
    /// <exception cref="ShmBatchTooLargeException">Together they can never fit into the lane; the exception names the option to
    /// raise.</exception>
    /// <exception cref="ObjectDisposedException">The producer was disposed.</exception>
    public bool TryWriteBatch(ReadOnlySpan<T> items)
    {
        if (!TryPublishBatch(items))
        {
            return false;
        }

        _core.Settle();
        return true;
    }

    /// <summary>Publishes messages, which become visible all at once, and waits for room for all of them if there is none.</summary>
    /// <param name="items">The messages.</param>
    /// <param name="timeout">Longest wait. Null: for ever.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TimeoutException">There was no room within <paramref name="timeout"/>; nothing was published.</exception>
    /// <exception cref="ShmMessageTooLargeException">One of the messages can never fit.</exception>
    /// <exception cref="ShmBatchTooLargeException">Together they can never fit into the lane; the exception names the option to
    /// raise.</exception>
    /// <exception cref="ChannelClosedException">This producer has completed.</exception>
    /// <exception cref="ShmRegionDeletedException">The channel was deleted.</exception>
    public void WriteBatch(ReadOnlySpan<T> items, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        if (TryWriteBatch(items))
        {
            return;
        }

        Deadline deadline = new(timeout);
        do
        {
            _core.WaitForRoomOrThrow(_neededBytes, deadline, cancellationToken);
        }
        while (!TryWriteBatch(items));
    }

    /// <summary>Publishes messages, which become visible all at once, and awaits room for all of them if there is none.</summary>
    /// <inheritdoc cref="WriteBatch" path="/exception"/>
    /// <param name="items">The messages.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask WriteBatchAsync(ReadOnlyMemory<T> items, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        while (!TryPublishBatch(items.Span))
        {
            if (!await _core.WaitForRoomAsync(_neededBytes, cancellationToken).ConfigureAwait(false))
            {
                _core.ThrowIfCompleted();
            }
        }

        await _core.SettleAsync().ConfigureAwait(false);
    }

    private bool TryPublishBatch(ReadOnlySpan<T> items)
    {
        _core.Gate.Enter();
        try
        {
            if (_core.IsCompleted)
            {
                return false;
            }

            _core.Writer.BeginBatch();
            foreach (T item in items)
            {
                bool isAdded = TryAdd(item);
                _buffer.End();
                if (!isAdded)
                {
                    _core.Writer.CheckBatch(_neededBytes);
                    _neededBytes += _core.Writer.BatchBytes; // the next attempt begins with the first message
                    return false;
                }
            }

            _core.Writer.PublishBatch();
            _neededBytes = 0;
            _core.WakeReaders();
            return true;
        }
        catch (Exception error) when (_buffer.IsTooLarge && error is not ShmMessageTooLargeException)
        {
            throw new ShmMessageTooLargeException(_buffer.WrittenBytes, _core.MaxMessageBytes); // serializers like to wrap what they get
        }
        finally
        {
            _buffer.End();
            _core.AbortBatch(); // nothing, unless the batch was not published
            _core.Gate.Exit();
        }
    }
}
