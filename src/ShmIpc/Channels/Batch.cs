using ShmIpc.Waiting;

namespace ShmIpc.Channels;

/// <summary>Messages that become visible all at once. Add them one by one, then <see cref="Publish"/>; disposing without that aborts, and
/// leaves no trace, as does the death of the process at any instruction.</summary>
/// <remarks>A batch holds its producer: no other thread can publish through it until the batch ends. All of its messages stand in the
/// lane before a consumer sees the first, so together they take <see cref="ByteProducer.MaxBatchBytes"/> at most.</remarks>
public ref struct Batch
{
    private readonly long _number;
    private ByteProducer? _producer;

    internal Batch(ByteProducer producer, long number)
    {
        _producer = producer;
        _number = number;
    }

    private readonly bool IsOpen => _producer is not null && _producer.IsOpenBatch(_number);

    private readonly ByteProducer Open => IsOpen
        ? _producer!
        : throw new InvalidOperationException("The batch has ended: it was published, aborted or disposed.");

    /// <summary>Copies one message into the batch. False when there is no room now: publish what there is, wait with
    /// <see cref="Write"/>, or abort.</summary>
    /// <param name="payload">0 to <see cref="ByteProducer.MaxMessageBytes"/> bytes.</param>
    /// <exception cref="ShmMessageTooLargeException">The message can never fit.</exception>
    /// <exception cref="ShmBatchTooLargeException">The batch can never fit with this message; it stays open without it.</exception>
    /// <exception cref="InvalidOperationException">The batch has ended, or a claim is open in it.</exception>
    /// <exception cref="ObjectDisposedException">The producer was disposed while the batch was open; nothing is published.</exception>
    public readonly bool TryWrite(ReadOnlySpan<byte> payload) => Open.TryWriteInBatch(payload);

    /// <summary>Copies one message into the batch, and waits for consumers to give back room if there is none. Nothing of the batch is
    /// visible meanwhile.</summary>
    /// <param name="payload">0 to <see cref="ByteProducer.MaxMessageBytes"/> bytes.</param>
    /// <param name="timeout">Longest wait. Null: for ever.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <inheritdoc cref="TryWrite" path="/exception"/>
    /// <exception cref="TimeoutException">There was no room within <paramref name="timeout"/>; the batch stays open without the
    /// message.</exception>
    /// <exception cref="ShmRegionDeletedException">The channel was deleted.</exception>
    public readonly void Write(ReadOnlySpan<byte> payload, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        if (TryWrite(payload))
        {
            return;
        }

        Deadline deadline = new(timeout);
        do
        {
            Open.WaitForRoomInBatch(payload.Length, deadline, cancellationToken);
        }
        while (!TryWrite(payload));
    }

    /// <summary>Hands out memory of the channel for one message of the batch. False when there is no room now.</summary>
    /// <param name="sizeBytes">Most bytes that the message can have, 0 to <see cref="ByteProducer.MaxMessageBytes"/>.</param>
    /// <param name="claim">The claim; committing it adds the message to the batch. End it before anything else is added.</param>
    /// <inheritdoc cref="TryWrite" path="/exception"/>
    public readonly bool TryClaim(int sizeBytes, out Claim claim) => Open.TryClaimInBatch(sizeBytes, out claim);

    /// <summary>Hands out memory of the channel for one message of the batch, and waits for room if there is none.</summary>
    /// <param name="sizeBytes">Most bytes that the message can have, 0 to <see cref="ByteProducer.MaxMessageBytes"/>.</param>
    /// <param name="timeout">Longest wait. Null: for ever.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <inheritdoc cref="Write" path="/exception"/>
    public readonly Claim Claim(int sizeBytes, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        if (TryClaim(sizeBytes, out Claim claim))
        {
            return claim;
        }

        Deadline deadline = new(timeout);
        do
        {
            Open.WaitForRoomInBatch(sizeBytes, deadline, cancellationToken);
        }
        while (!TryClaim(sizeBytes, out claim));
        return claim;
    }

    /// <summary>Makes all messages of the batch visible at once, by one store.</summary>
    /// <exception cref="InvalidOperationException">The batch has ended, or a claim is open in it (the batch stays open
    /// then).</exception>
    /// <exception cref="ObjectDisposedException">The producer was disposed while the batch was open; nothing is published.</exception>
    public void Publish()
    {
        Open.EndBatch(isPublished: true);
        _producer = null;
    }

    /// <summary>Ends the batch without its messages. Does nothing when it has ended already.</summary>
    public void Abort()
    {
        ByteProducer? producer = IsOpen ? _producer : null;
        _producer = null;
        producer?.EndBatch(isPublished: false);
    }

    /// <summary>Aborts unless the batch was published.</summary>
    public void Dispose() => Abort();
}
