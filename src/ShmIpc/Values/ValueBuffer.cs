// Where a serializer writes before the value goes into shared memory: private memory of the writer, kept from one value to the next. So a
// serializer that fails, or turns out too much, has touched nothing, and shared memory is being changed for one copy's time only.

using System.Buffers;

namespace ShmIpc.Values;

internal sealed class ValueBuffer(int maxValueBytes) : IBufferWriter<byte>
{
    private const int FirstBytes = 256;
    private const int LeastLimitBytes = 4096;
    private const int MostBytesByteWritten = 4; // a hint says how much may come: MessagePack's is three bytes a character
    private readonly int _limitBytes = (int)Math.Min(LeastLimitBytes + (MostBytesByteWritten * (long)maxValueBytes), Array.MaxLength);
    private byte[] _bytes = new byte[FirstBytes];
    private int _written;

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _written);

    public void Clear() => _written = 0;

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _bytes.Length - _written);
        _written += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        int wanted = Math.Max(sizeHint, 1);
        if (wanted > _bytes.Length - _written)
        {
            Grow(wanted);
        }

        return _bytes.AsMemory(_written);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <exception cref="ShmMessageTooLargeException">The value is larger than any value may be.</exception>
    public void ThrowIfTooLarge()
    {
        if (_written > maxValueBytes)
        {
            throw TooLarge(_written);
        }
    }

    private void Grow(int wanted)
    {
        long needed = _written + (long)wanted;
        if (needed > _limitBytes)
        {
            throw TooLarge(needed);
        }

        Array.Resize(ref _bytes, (int)Math.Min(Math.Max(needed, 2L * _bytes.Length), _limitBytes));
    }

    private ShmMessageTooLargeException TooLarge(long bytes) => new(
        $"A value of {bytes} bytes is too large: this shared value holds at most {maxValueBytes} (MaxValueBytes). Write less, or create it "
        + "with a larger MaxValueBytes.",
        bytes,
        maxValueBytes);
}
