// Batches of raw bytes: what the caller adds one by one to an open Batch, and what it hands over all at once. An open batch is one
// operation inside the gate, as an open claim is; a claim may be open inside it.

using System.Runtime.CompilerServices;
using ShmIpc.Waiting;

namespace ShmIpc.Channels;

public sealed partial class ByteProducer
{
    private long _openBatch;

    /// <summary>Largest batch in bytes: the lane's capacity, less 8. Each message counts 8 bytes (16 with checksums) and its payload
    /// rounded up to a multiple of 8.</summary>
    public long MaxBatchBytes => _core.Writer.MaxBatchBytes;

    /// <summary>Begins a batch: messages that consumers see all at once, or never.</summary>
    /// <remarks>Until the batch ends no other thread can publish through this producer.</remarks>
    /// <exception cref="System.Threading.Channels.ChannelClosedException">This producer has completed.</exception>
    /// <exception cref="ObjectDisposedException">The producer was disposed.</exception>
    public Batch BeginBatch()
    {
        _core.Gate.Enter();
        if (_core.IsCompleted)
        {
            _core.Gate.Exit();
            _core.ThrowIfCompleted();
        }

        _core.Gate.HoldForClaim();
        _core.Writer.BeginBatch();
        return new Batch(this, _openBatch = ++_claims);
    }

    /// <summary>Copies messages into the channel, which become visible all at once. False, and nothing is published, when there is no room
    /// for all of them now.</summary>
    /// <param name="payloads">The messages, 0 to <see cref="MaxMessageBytes"/> bytes each.</param>
    /// <returns>False when the slowest consumer holds the room, or when this producer has completed.</returns>
    /// <exception cref="ShmMessageTooLargeException">One of the messages can never fit.</exception>
    /// <exception cref="ShmBatchTooLargeException">Together they can never fit; the exception names the option to raise.</exception>
    /// <exception cref="ObjectDisposedException">The producer was disposed.</exception>
    public bool TryWriteBatch(ReadOnlySpan<ReadOnlyMemory<byte>> payloads) => TryWriteBatch(payloads, RoomOf(payloads));

    /// <summary>Copies messages into the channel, which become visible all at once, and waits for room for all of them if there is
    /// none.</summary>
    /// <param name="payloads">The messages, 0 to <see cref="MaxMessageBytes"/> bytes each.</param>
    /// <param name="timeout">Longest wait. Null: for ever.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TimeoutException">There was no room within <paramref name="timeout"/>; nothing was published.</exception>
    /// <exception cref="ShmMessageTooLargeException">One of the messages can never fit.</exception>
    /// <exception cref="ShmBatchTooLargeException">Together they can never fit; the exception names the option to raise.</exception>
    /// <exception cref="System.Threading.Channels.ChannelClosedException">This producer has completed.</exception>
    /// <exception cref="ShmRegionDeletedException">The channel was deleted.</exception>
    public void WriteBatch(
        ReadOnlySpan<ReadOnlyMemory<byte>> payloads, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        long roomBytes = RoomOf(payloads);
        if (TryWriteBatch(payloads, roomBytes))
        {
            return;
        }

        Deadline deadline = new(timeout);
        do
        {
            _core.WaitForRoomOrThrow(roomBytes, deadline, cancellationToken);
        }
        while (!TryWriteBatch(payloads, roomBytes));
    }

    /// <summary>Copies messages into the channel, which become visible all at once, and awaits room for all of them if there is
    /// none.</summary>
    /// <inheritdoc cref="WriteBatch" path="/exception"/>
    /// <param name="payloads">The messages, 0 to <see cref="MaxMessageBytes"/> bytes each.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask WriteBatchAsync(
        ReadOnlyMemory<ReadOnlyMemory<byte>> payloads, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        long roomBytes = RoomOf(payloads.Span);
        while (!TryPublishBatch(payloads.Span, roomBytes))
        {
            if (!await _core.WaitForRoomAsync(roomBytes, cancellationToken).ConfigureAwait(false))
            {
                _core.ThrowIfCompleted();
            }
        }

        await _core.SettleAsync().ConfigureAwait(false);
    }

    /// <summary>True for the batch that is open now. A batch can be copied, and its copies end with it.</summary>
    internal bool IsOpenBatch(long batch) => batch == _openBatch;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool TryWriteInBatch(ReadOnlySpan<byte> payload) =>
        (_openClaim == 0 && _core.Gate.IsUsable && _core.Writer.TryAppendToBatch(payload)) || TryWriteInBatchLong(payload);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryWriteInBatchLong(ReadOnlySpan<byte> payload)
    {
        if (!TryReserveInBatch(payload.Length))
        {
            return false;
        }

        _core.Writer.Write(payload);
        return true;
    }

    internal bool TryClaimInBatch(int sizeBytes, out Claim claim)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeBytes);
        bool isClaimed = TryReserveInBatch(sizeBytes);
        claim = isClaimed ? new Claim(this, _openClaim = ++_claims, _core.Writer.Payload(sizeBytes)) : default;
        return isClaimed;
    }

    internal void WaitForRoomInBatch(int payloadBytes, Deadline deadline, CancellationToken cancellation) =>
        _core.WaitForRoomOrThrow(payloadBytes, deadline, cancellation, isInside: true);

    /// <summary>Ends the open batch. A claim that is open in it ends too, without a message.</summary>
    internal void EndBatch(bool isPublished)
    {
        if (isPublished)
        {
            RequireNoClaim();
        }

        (_openBatch, _openClaim) = (0, 0);
        try
        {
            if (isPublished)
            {
                ThrowIfUnusable();
                _core.Writer.PublishBatch();
                _core.WakeReaders();
            }
        }
        finally
        {
            _core.AbortBatch();
            _core.Gate.ExitClaim();
        }

        if (isPublished)
        {
            _core.Settle();
        }
    }

    private bool TryReserveInBatch(int payloadBytes)
    {
        ThrowIfUnusable();
        RequireNoClaim();
        if (_core.TryReserve(payloadBytes))
        {
            return true;
        }

        _core.Writer.CheckBatch(payloadBytes);
        return false;
    }

    private void RequireNoClaim()
    {
        if (_openClaim != 0)
        {
            throw new InvalidOperationException("The batch has an open claim. Commit, abort or dispose it first.");
        }
    }

    private bool TryWriteBatch(ReadOnlySpan<ReadOnlyMemory<byte>> payloads, long roomBytes)
    {
        if (!TryPublishBatch(payloads, roomBytes))
        {
            return false;
        }

        _core.Settle();
        return true;
    }

    private bool TryPublishBatch(ReadOnlySpan<ReadOnlyMemory<byte>> payloads, long roomBytes)
    {
        _core.Gate.Enter();
        try
        {
            if (_core.IsCompleted || !_core.TryMakeRoom(roomBytes))
            {
                return false;
            }

            _core.Writer.BeginBatch();
            foreach (ReadOnlyMemory<byte> payload in payloads)
            {
                if (!_core.Writer.TryAppendToBatch(payload.Span))
                {
                    _core.Writer.Write(payload.Span);
                }
            }

            _core.Writer.PublishBatch();
            _core.WakeReaders();
            return true;
        }
        finally
        {
            _core.AbortBatch(); // nothing, unless a payload could not be read
            _core.Gate.Exit();
        }
    }

    /// <summary>The payload of a single message that would take as much room as all of these.</summary>
    private long RoomOf(ReadOnlySpan<ReadOnlyMemory<byte>> payloads)
    {
        long recordBytes = 0;
        foreach (ReadOnlyMemory<byte> payload in payloads)
        {
            recordBytes += payload.Length <= MaxMessageBytes
                ? _core.Writer.RecordBytes(payload.Length)
                : throw new ShmMessageTooLargeException(payload.Length, MaxMessageBytes);
        }

        return recordBytes <= MaxBatchBytes
            ? recordBytes - _core.Writer.RecordBytes(0)
            : throw new ShmBatchTooLargeException(recordBytes, MaxBatchBytes);
    }
}
