namespace ShmIpc.Channels;

/// <summary>Writable memory of the channel itself, handed out before a message exists. Write into <see cref="Span"/>, then
/// <see cref="Commit"/> the number of bytes that make the message; disposing without a commit aborts, and leaves no trace.</summary>
/// <remarks>A claim holds its producer: no other thread can publish through it until the claim ends. Use the memory only until
/// then.</remarks>
public ref struct Claim
{
    private readonly Span<byte> _span;
    private readonly long _number;
    private ByteProducer? _producer;

    internal Claim(ByteProducer producer, long number, Span<byte> span)
    {
        _producer = producer;
        _number = number;
        _span = span;
    }

    /// <summary>The claimed memory; its old content is undefined.</summary>
    /// <exception cref="InvalidOperationException">The claim has ended.</exception>
    /// <exception cref="ObjectDisposedException">The producer was disposed, and the memory is gone.</exception>
    public readonly Span<byte> Span
    {
        get
        {
            if (!IsOpen)
            {
                throw Ended();
            }

            _producer!.ThrowIfUnusable();
            return _span;
        }
    }

    private readonly bool IsOpen => _producer is not null && _producer.IsOpen(_number);

    /// <summary>Publishes the first <paramref name="lengthBytes"/> bytes as one message.</summary>
    /// <param name="lengthBytes">0 to the length of <see cref="Span"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The length exceeds what was claimed; the claim stays open.</exception>
    /// <exception cref="InvalidOperationException">The claim has ended.</exception>
    /// <exception cref="ObjectDisposedException">The producer was disposed while the claim was open; nothing is published.</exception>
    public void Commit(int lengthBytes)
    {
        ByteProducer producer = IsOpen ? _producer! : throw Ended();
        if ((uint)lengthBytes > (uint)_span.Length)
        {
            throw new ArgumentOutOfRangeException(nameof(lengthBytes), lengthBytes, $"The claim has {_span.Length} bytes; commit 0 "
                + $"to {_span.Length} of them.");
        }

        _producer = null;
        producer.EndClaim(lengthBytes);
    }

    /// <summary>Ends the claim without a message. Does nothing when it has ended already.</summary>
    public void Abort()
    {
        ByteProducer? producer = IsOpen ? _producer : null;
        _producer = null;
        producer?.EndClaim(-1);
    }

    /// <summary>Aborts unless the claim was committed.</summary>
    public void Dispose() => Abort();

    private static InvalidOperationException Ended() => new("The claim has ended: it was committed, aborted or disposed.");
}
