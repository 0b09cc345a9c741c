// What the kernel says about the pages of a mapping. The library gives no addresses away; whoever needs one, as native code does, takes it
// inside a callback, during which it is good.
using ShmIpc.Memory;

namespace ShmIpc.Examples.Memory;

internal static unsafe class MappedAt
{
    /// <summary>The line of /proc/self/maps, or the entry of smaps, for a byte of the mapping.</summary>
    public static ProcessMapping Of(MemoryMapping mapping, long offset, bool withSizes = false)
    {
        return mapping.Read(offset, 1, withSizes, static (bytes, withSizes) =>
        {
            fixed (byte* first = bytes) return ProcessMaps.Read(withSizes: withSizes).Find((nint)first)!;
        });
    }
}
