using System.Runtime.CompilerServices;
using System.Threading.Channels;
using ShmIpc.Serialization;
using ShmIpc.Waiting;

namespace ShmIpc.Channels;

/// <summary>Publishes messages of type <typeparamref name="T"/> to every consumer of the channel, in any process.</summary>
/// <typeparam name="T">The message type.</typeparam>
/// <remarks>Code that writes to a <see cref="ChannelWriter{T}"/> works with it unchanged. Any number of threads may use it.
/// Messages of one producer stay in order; there is no order between producers.</remarks>
public sealed partial class Producer<T> : ChannelWriter<T>, IDisposable
{
    private const int LeastRoomBytes = 256;
    private readonly ChannelProducer _core;
    private readonly IPayloadSerializer<T> _serializer;
    private readonly ClaimBufferWriter _buffer;
    private long _neededBytes;

    internal Producer(ChannelProducer core, IPayloadSerializer<T> serializer)
    {
        _core = core;
        _serializer = serializer;
        _buffer = new ClaimBufferWriter(core.LaneMemory, core.MaxMessageBytes);
    }

    /// <summary>Largest serialized message in bytes: half of the lane's capacity, less 16 (24 with checksums).</summary>
    public int MaxMessageBytes => _core.MaxMessageBytes;

    /// <summary>Messages that this producer has dropped because there was no room for them; 0 unless the channel's full mode is
    /// <see cref="ShmFullMode.DropWrite"/>.</summary>
    public long DroppedMessages => _core.DroppedMessages;

    /// <summary>Serializes a message straight into the channel. False when there is no room now, or when this producer has completed;
    /// with <see cref="ShmFullMode.DropWrite"/> a message without room is dropped and counted, and this is true.</summary>
    /// <param name="item">The message.</param>
    /// <exception cref="ShmMessageTooLargeException">The message can never fit; the exception names the option to raise.</exception>
    /// <exception cref="ObjectDisposedException">The producer was disposed.</exception>
    public override bool TryWrite(T item)
    {
        if (!TryPublish(item))
        {
            return false;
        }

        _core.Settle();
        return true;
    }

    /// <summary>Publishes a message, and waits for room if there is none.</summary>
    /// <param name="item">The message.</param>
    /// <param name="timeout">Longest wait. Null: for ever.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TimeoutException">There was no room within <paramref name="timeout"/>.</exception>
    /// <exception cref="ShmMessageTooLargeException">The message can never fit.</exception>
    /// <exception cref="ChannelClosedException">This producer has completed.</exception>
    /// <exception cref="ShmRegionDeletedException">The channel was deleted.</exception>
    public void Write(T item, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        if (TryWrite(item))
        {
            return;
        }

        Deadline deadline = new(timeout);
        do
        {
            _core.WaitForRoomOrThrow(_neededBytes, deadline, cancellationToken);
        }
        while (!TryWrite(item));
    }

    /// <summary>Publishes a message, and awaits room if there is none.</summary>
    /// <param name="item">The message.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <inheritdoc cref="Write" path="/exception"/>
    public override ValueTask WriteAsync(T item, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        try
        {
            return TryPublish(item) ? _core.SettleAsync() : WriteSlowAsync(item, cancellationToken);
        }
        catch (Exception error)
        {
            return ValueTask.FromException(error);
        }
    }

    /// <summary>Awaits room for a message of the size that did not fit last. False when this producer has completed. With
    /// <see cref="ShmFullMode.DropWrite"/> it completes at once: no write ever waits.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    public override ValueTask<bool> WaitToWriteAsync(CancellationToken cancellationToken = default) =>
        _core.WaitToWriteAsync(_neededBytes, cancellationToken);

    /// <summary>Returns when everything that this producer has published is durable: it survives a power cut, and what follows does not
    /// endanger it. Other threads may go on writing.</summary>
    /// <exception cref="InvalidOperationException">The channel cannot be made durable: it is in memory, or has no checksums.</exception>
    /// <exception cref="ShmException">The disk could not write. From then on every write of this producer is refused.</exception>
    public void Flush() => _core.Flush();

    /// <summary>Completes when everything that this producer has published is durable.</summary>
    /// <inheritdoc cref="Flush" path="/exception"/>
    /// <param name="cancellationToken">Keeps it from starting.</param>
    public Task FlushAsync(CancellationToken cancellationToken = default) => Task.Run(_core.Flush, cancellationToken);

    /// <summary>Says that this producer will publish nothing more. False when it had said so before.</summary>
    /// <param name="error">Its type and message reach the consumers as <see cref="ShmRemoteException"/>; null for a normal end.</param>
    /// <remarks>A consumer ends when some producer has completed and no living producer is left that has not. Disposing completes
    /// nothing.</remarks>
    public override bool TryComplete(Exception? error = null) => _core.TryComplete(error);

    /// <summary>Gives the lane back. What was published stays for the consumers.</summary>
    public void Dispose() => _core.Dispose();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryPublish(T item)
    {
        _core.Gate.Enter();
        try
        {
            if (_core.IsCompleted)
            {
                return false;
            }

            if (!TryAdd(item))
            {
                return _core.TryDrop();
            }

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
            _core.Gate.Exit();
        }
    }

    /// <summary>Inside the gate: serializes a message and commits it, or says false when there is no room for it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryAdd(T item)
    {
        if (_core.Writer.RoomBytes < LeastRoomBytes)
        {
            _core.TryReserve(LeastRoomBytes); // look whether consumers have moved on, before the serializer needs the room
        }

        _buffer.Begin(_core.Writer);
        _serializer.Serialize(_buffer, item);
        int payloadBytes = _buffer.WrittenBytes;
        if (!_core.TryReserve(payloadBytes))
        {
            _neededBytes = payloadBytes;
            return false;
        }

        _buffer.Join(_core.Writer);
        _core.Writer.Commit(payloadBytes);
        return true;
    }

    private async ValueTask WriteSlowAsync(T item, CancellationToken cancellationToken)
    {
        do
        {
            if (!await _core.WaitForRoomAsync(_neededBytes, cancellationToken).ConfigureAwait(false))
            {
                _core.ThrowIfCompleted();
            }
        }
        while (!TryPublish(item));

        await _core.SettleAsync().ConfigureAwait(false);
    }
}
