// Mapped memory as Memory<byte>, for interfaces that take no span. It holds no reference on its mapping: whoever uses it does. What it
// adds is that a use after the memory is gone is an ObjectDisposedException and not a fault, and that pinned memory stays mapped.

using System.Buffers;

namespace ShmIpc.Memory;

internal sealed unsafe class MappedMemory(MemoryMapping mapping, int lengthBytes) : MemoryManager<byte>
{
    public override Memory<byte> Memory => CreateMemory(lengthBytes);

    public override Span<byte> GetSpan() => mapping.Whole.Bytes(0, lengthBytes);

    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(elementIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(elementIndex, lengthBytes);
        mapping.AddReference();
        return new MemoryHandle((byte*)mapping.Whole.Address(0) + elementIndex, pinnable: this);
    }

    public override void Unpin() => mapping.ReleaseReference();

    protected override void Dispose(bool disposing)
    {
        // The mapping owns the memory.
    }
}
