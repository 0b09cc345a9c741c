using System.Buffers;
using System.IO.Compression;

namespace ShmIpc.Serialization;

/// <summary>Compresses the messages of another serializer with Brotli. For large messages that repeat themselves, where room in the lane
/// is worth more than time.</summary>
/// <typeparam name="T">The message type.</typeparam>
public sealed class BrotliPayload<T> : IPayloadSerializer<T>
{
    /// <summary>What <c>maxDecompressedBytes</c> is unless it is given: 16 MiB.</summary>
    public const int DefaultMaxDecompressedBytes = 16 * 1024 * 1024;

    private const int LeastPieceBytes = 4096;
    private readonly IPayloadSerializer<T> _inner;
    private readonly int _maxDecompressedBytes;
    private readonly int _quality;
    private readonly int _windowBits;

    /// <summary>Creates the serializer.</summary>
    /// <param name="inner">Makes the bytes that are compressed.</param>
    /// <param name="maxDecompressedBytes">Most bytes that a message may have when it is decompressed, however few it had before: a larger
    /// one is refused, by who writes it and by who reads it. It bounds the memory that a damaged or hostile message can take.</param>
    /// <param name="quality">From 0 (fastest) to 11 (smallest, a hundred times slower). Default: 3.</param>
    /// <param name="windowBits">How far back repetitions are found: 2 to this power bytes, from 10 to 24. More takes more memory for each
    /// message, on both sides. Default: 18, which is 256 KiB.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range.</exception>
    public BrotliPayload(
        IPayloadSerializer<T> inner,
        int maxDecompressedBytes = DefaultMaxDecompressedBytes,
        int quality = 3,
        int windowBits = 18)
    {
        ArgumentNullException.ThrowIfNull(inner);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxDecompressedBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(maxDecompressedBytes, Array.MaxLength);
        ArgumentOutOfRangeException.ThrowIfNegative(quality);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(quality, 11);
        ArgumentOutOfRangeException.ThrowIfLessThan(windowBits, 10);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(windowBits, 24);
        _inner = inner;
        _maxDecompressedBytes = maxDecompressedBytes;
        _quality = quality;
        _windowBits = windowBits;
        Format = $"brotli/{inner.Format}";
    }

    /// <summary><c>brotli/</c> and the format of the inner serializer. The two sides need not agree on quality and window.</summary>
    public string Format { get; }

    /// <summary>The schema of the inner serializer.</summary>
    public ulong Schema => _inner.Schema;

    /// <inheritdoc/>
    /// <exception cref="ShmMessageTooLargeException">The message has more than <c>maxDecompressedBytes</c> before it is
    /// compressed.</exception>
    public void Serialize(IBufferWriter<byte> destination, T value)
    {
        ArgumentNullException.ThrowIfNull(destination);
        using PooledBytes plain = new(LeastPieceBytes);
        _inner.Serialize(plain, value);
        ReadOnlySpan<byte> source = plain.Written.Span;
        if (source.Length > _maxDecompressedBytes)
        {
            throw new ShmMessageTooLargeException(
                source.Length,
                _maxDecompressedBytes,
                $"A message of {source.Length} bytes before compression is too large: readers decompress at most {_maxDecompressedBytes} "
                + "bytes. Send less, or raise maxDecompressedBytes on all sides.");
        }

        using BrotliEncoder encoder = new(_quality, _windowBits);
        OperationStatus status;
        do
        {
            status = encoder.Compress(
                source, destination.GetSpan(LeastPieceBytes), out int consumed, out int written, isFinalBlock: true);
            source = source[consumed..];
            destination.Advance(written);
        }
        while (status == OperationStatus.DestinationTooSmall);
        if (status != OperationStatus.Done)
        {
            throw new InvalidOperationException($"Brotli compression ended with {status}.");
        }
    }

    /// <inheritdoc/>
    public T Deserialize(ReadOnlyMemory<byte> payload)
    {
        // A copy, because native code reads it, and a peer that goes on writing must not make that read change under it.
        using PooledBytes compressed = new(Math.Max(payload.Length, 1));
        compressed.Write(payload.Span);
        using PooledBytes plain = new((int)Math.Min(Math.Max(payload.Length * 4L, LeastPieceBytes), _maxDecompressedBytes + 1L));
        Decompress(compressed.Written.Span, plain);
        return _inner.Deserialize(plain.Written);
    }

    private void Decompress(ReadOnlySpan<byte> source, PooledBytes plain)
    {
        using BrotliDecoder decoder = default;
        OperationStatus status;
        do
        {
            // One byte more than is allowed tells a message of the largest size from one that would go on.
            int room = _maxDecompressedBytes + 1 - plain.Written.Length;
            Span<byte> piece = plain.GetSpan();
            status = decoder.Decompress(source, piece[..Math.Min(piece.Length, room)], out int consumed, out int written);
            source = source[consumed..];
            plain.Advance(written);
            if (plain.Written.Length > _maxDecompressedBytes)
            {
                throw new InvalidDataException($"it decompresses to more than maxDecompressedBytes ({_maxDecompressedBytes}); raise it on "
                    + "all sides if such messages are wanted.");
            }
        }
        while (status == OperationStatus.DestinationTooSmall);
        if (status != OperationStatus.Done)
        {
            throw new InvalidDataException(status == OperationStatus.NeedMoreData
                ? $"it is cut off: Brotli expects more behind its {plain.Written.Length} decompressed bytes."
                : $"it is damaged: Brotli cannot go on behind {plain.Written.Length} decompressed bytes.");
        }

        if (source.Length > 0)
        {
            throw new InvalidDataException($"{source.Length} bytes are left behind the end of the compressed data.");
        }
    }
}
