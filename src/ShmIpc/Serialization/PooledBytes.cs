// Bytes in an array from the pool that grows as they are written. For serializers that work on what another serializer made.

using System.Buffers;

namespace ShmIpc.Serialization;

internal sealed class PooledBytes(int leastBytes) : IBufferWriter<byte>, IDisposable
{
    private byte[] _array = ArrayPool<byte>.Shared.Rent(leastBytes);
    private int _writtenBytes;

    public ReadOnlyMemory<byte> Written => _array.AsMemory(0, _writtenBytes);

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _array.Length - _writtenBytes);
        _writtenBytes += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (_array.Length - _writtenBytes < Math.Max(sizeHint, 1))
        {
            Grow(sizeHint);
        }

        return _array.AsMemory(_writtenBytes);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <summary>Gives the array back; nothing that was read from it may be used any more.</summary>
    public void Dispose()
    {
        byte[] array = _array;
        (_array, _writtenBytes) = ([], 0);
        ArrayPool<byte>.Shared.Return(array);
    }

    private void Grow(int sizeHint)
    {
        long wanted = Math.Max(_writtenBytes + (long)Math.Max(sizeHint, 1), _array.Length * 2L);
        byte[] larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(wanted, Array.MaxLength));
        Written.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_array);
        _array = larger;
    }
}
