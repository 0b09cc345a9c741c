// /proc/meminfo: lines such as `MemTotal:       24684092 kB`.
using ShmIpc.Examples.Messages;

namespace ShmIpc.Examples.Producer.Proc;

internal static class MemoryParser
{
    public static MemoryUse Parse(ReadOnlySpan<byte> text)
    {
        var memory = new MemoryUse();
        foreach (Range range in text.Split((byte)'\n'))
        {
            var fields = new Fields(text[range]);
            ReadOnlySpan<byte> name = fields.Take();
            long bytes = fields.TakeNumber() * 1024;
            if (name.SequenceEqual("MemTotal:"u8))
                memory = memory with { TotalBytes = bytes };
            else if (name.SequenceEqual("MemAvailable:"u8))
                memory = memory with { AvailableBytes = bytes };
            else if (name.SequenceEqual("Cached:"u8))
                memory = memory with { CachedBytes = bytes };
            else if (name.SequenceEqual("Shmem:"u8))
                memory = memory with { SharedBytes = bytes };
            else if (name.SequenceEqual("SwapTotal:"u8))
                memory = memory with { SwapTotalBytes = bytes };
            else if (name.SequenceEqual("SwapFree:"u8))
                memory = memory with { SwapFreeBytes = bytes };
        }
        return memory;
    }
}
