using System.Runtime.CompilerServices;
using ShmIpc.Waiting;

namespace ShmIpc.Channels;

/// <summary>Publishes messages of raw bytes. Any number of threads may use it, one at a time is let in.</summary>
/// <remarks>A message is visible whole or not at all, whatever happens to this process at any instruction. Publishing allocates nothing
/// and makes no system call while no consumer sleeps.</remarks>
public sealed partial class ByteProducer : IDisposable
{
    private readonly ChannelProducer _core;
    private long _claims;
    private long _openClaim;

    internal ByteProducer(ChannelProducer core)
    {
        _core = core;
    }

    /// <summary>Largest message in bytes: half of the lane's capacity, less 16 (24 with checksums).</summary>
    public int MaxMessageBytes => _core.MaxMessageBytes;

    /// <summary>The lane that this producer writes.</summary>
    public int Lane => _core.Lane;

    /// <summary>Messages that this producer has dropped because there was no room for them; 0 unless the channel's full mode is
    /// <see cref="ShmFullMode.DropWrite"/>.</summary>
    public long DroppedMessages => _core.DroppedMessages;

    /// <summary>Copies one message into the channel. False when there is no room now; with <see cref="ShmFullMode.DropWrite"/> the message
    /// is then dropped and counted, and this is true.</summary>
    /// <param name="payload">0 to <see cref="MaxMessageBytes"/> bytes.</param>
    /// <returns>False when the slowest consumer holds the room, or when this producer has completed.</returns>
    /// <exception cref="ShmMessageTooLargeException">The message can never fit; the exception names the option to raise.</exception>
    /// <exception cref="ObjectDisposedException">The producer was disposed.</exception>
    public bool TryWrite(ReadOnlySpan<byte> payload)
    {
        if (!TryPublish(payload))
        {
            return false;
        }

        _core.Settle();
        return true;
    }

    /// <summary>Copies one message into the channel, and waits for room if there is none.</summary>
    /// <param name="payload">0 to <see cref="MaxMessageBytes"/> bytes.</param>
    /// <param name="timeout">Longest wait. Null: for ever.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TimeoutException">There was no room within <paramref name="timeout"/>.</exception>
    /// <exception cref="ShmMessageTooLargeException">The message can never fit.</exception>
    /// <exception cref="System.Threading.Channels.ChannelClosedException">This producer has completed.</exception>
    /// <exception cref="ShmRegionDeletedException">The channel was deleted.</exception>
    public void Write(ReadOnlySpan<byte> payload, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        if (TryWrite(payload))
        {
            return;
        }

        Deadline deadline = new(timeout);
        do
        {
            _core.WaitForRoomOrThrow(payload.Length, deadline, cancellationToken);
        }
        while (!TryWrite(payload));
    }

    /// <summary>Copies one message into the channel, and awaits room if there is none.</summary>
    /// <inheritdoc cref="Write" path="/exception"/>
    /// <param name="payload">0 to <see cref="MaxMessageBytes"/> bytes.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> payload, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        return TryPublish(payload.Span) ? _core.SettleAsync() : WriteSlowAsync(payload, cancellationToken);
    }

    /// <summary>Hands out memory of the channel for one message. False when there is no room now, whatever the channel's full mode:
    /// without memory there is no message yet that could be dropped.</summary>
    /// <param name="sizeBytes">Most bytes that the message can have, 0 to <see cref="MaxMessageBytes"/>.</param>
    /// <param name="claim">The claim; dispose it in any case.</param>
    /// <inheritdoc cref="TryWrite" path="/exception"/>
    public bool TryClaim(int sizeBytes, out Claim claim)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeBytes);
        _core.Gate.Enter();
        if (!_core.HasRoom(sizeBytes) && !TryMakeRoomInGate(sizeBytes))
        {
            claim = default;
            return false;
        }

        _core.Gate.HoldForClaim();
        claim = new Claim(this, _openClaim = ++_claims, _core.Writer.Payload(sizeBytes));
        return true;
    }

    /// <summary>Hands out memory of the channel for one message, and waits for room if there is none.</summary>
    /// <param name="sizeBytes">Most bytes that the message can have, 0 to <see cref="MaxMessageBytes"/>.</param>
    /// <param name="timeout">Longest wait. Null: for ever.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <inheritdoc cref="Write" path="/exception"/>
    public Claim Claim(int sizeBytes, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        if (TryClaim(sizeBytes, out Claim claim))
        {
            return claim;
        }

        Deadline deadline = new(timeout);
        do
        {
            _core.WaitForRoomOrThrow(sizeBytes, deadline, cancellationToken);
        }
        while (!TryClaim(sizeBytes, out claim));
        return claim;
    }

    /// <summary>Returns when everything that this producer has published is durable: it survives a power cut, and what follows does not
    /// endanger it. Other threads may go on writing.</summary>
    /// <exception cref="InvalidOperationException">The channel cannot be made durable: it is in memory, or has no checksums.</exception>
    /// <exception cref="ShmException">The disk could not write. From then on every write of this producer is refused.</exception>
    public void Flush() => _core.Flush();

    /// <summary>Completes when everything that this producer has published is durable.</summary>
    /// <inheritdoc cref="Flush" path="/exception"/>
    /// <param name="cancellationToken">Keeps it from starting.</param>
    public Task FlushAsync(CancellationToken cancellationToken = default) => Task.Run(_core.Flush, cancellationToken);

    /// <summary>Says that this producer will publish nothing more, with an optional error for the consumers. False when it had said so
    /// before.</summary>
    /// <param name="error">Its type and message reach the consumers as <see cref="ShmRemoteException"/>.</param>
    /// <remarks>A consumer ends when some producer has completed and no living producer is left that has not. Disposing completes
    /// nothing.</remarks>
    public bool TryComplete(Exception? error = null) => _core.TryComplete(error);

    /// <summary>Gives the lane back. What was published stays for the consumers.</summary>
    public void Dispose() => _core.Dispose();

    /// <summary>True for the claim that is open now. A claim can be copied, and its copies end with it.</summary>
    internal bool IsOpen(long claim) => claim == _openClaim;

    internal void ThrowIfUnusable() => _core.Gate.ThrowIfUnusable();

    /// <summary>Ends the open claim: commits that many bytes, or aborts at -1.</summary>
    /// <exception cref="ObjectDisposedException">The producer was disposed since, and its memory is gone.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void EndClaim(int lengthBytes)
    {
        _openClaim = 0;
        if (lengthBytes >= 0 && _openBatch == 0 && _core.Gate.IsUsable)
        {
            _core.Writer.Commit(lengthBytes);
            _core.WakeReadersOrExit();
            _core.Gate.ExitClaim();
            _core.Settle();
        }
        else
        {
            EndClaimWithoutPublishing(lengthBytes);
        }
    }

    /// <summary>The claim was aborted, is part of a batch, or its producer was disposed.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void EndClaimWithoutPublishing(int lengthBytes)
    {
        try
        {
            if (lengthBytes >= 0)
            {
                ThrowIfUnusable();
                _core.Writer.Commit(lengthBytes);
            }
        }
        finally
        {
            if (_openBatch == 0)
            {
                _core.Gate.ExitClaim();
            }
        }
    }

    /// <summary>Inside the gate, and leaves it when there is no room, or this producer has completed.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryMakeRoomInGate(int sizeBytes)
    {
        bool hasRoom = false;
        try
        {
            return hasRoom = !_core.IsCompleted && _core.TryReserve(sizeBytes);
        }
        finally
        {
            if (!hasRoom)
            {
                _core.Gate.Exit();
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryPublish(ReadOnlySpan<byte> payload)
    {
        _core.Gate.Enter();
        if (_core.TryAppend(payload))
        {
            _core.Gate.Exit();
            return true;
        }

        return TryPublishInGate(payload);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryPublishInGate(ReadOnlySpan<byte> payload)
    {
        try
        {
            if (_core.IsCompleted)
            {
                return false;
            }

            if (!_core.TryReserve(payload.Length))
            {
                return _core.TryDrop();
            }

            _core.Writer.Write(payload);
            _core.WakeReaders();
            return true;
        }
        finally
        {
            _core.Gate.Exit();
        }
    }

    private async ValueTask WriteSlowAsync(ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        do
        {
            if (!await _core.WaitForRoomAsync(payload.Length, cancellationToken).ConfigureAwait(false))
            {
                _core.ThrowIfCompleted();
            }
        }
        while (!TryPublish(payload.Span));

        await _core.SettleAsync().ConfigureAwait(false);
    }
}
