// /proc/diskstats: `major minor name reads merged sectors ms writes merged sectors ms in-flight busy-ms ...`, one line for each block
// device.
using System.Text;
using ShmIpc.Examples.Messages;

namespace ShmIpc.Examples.Producer.Proc;

internal static class DiskParser
{
    // Whatever the disk's own sectors are, the kernel counts in these.
    private const int SectorBytes = 512;

    /// <summary>The devices that <paramref name="isDisk"/> accepts: without partitions and stacked devices, nothing is counted
    /// twice.</summary>
    public static DiskCounters[] Parse(ReadOnlySpan<byte> text, Func<string, bool> isDisk)
    {
        var disks = new List<DiskCounters>();
        foreach (Range range in text.Split((byte)'\n'))
        {
            var fields = new Fields(text[range]);
            fields.Skip(2);
            string name = Encoding.UTF8.GetString(fields.Take());
            if (name.Length > 0 && isDisk(name))
                disks.Add(ParseDisk(name, fields));
        }
        return [.. disks];
    }

    private static DiskCounters ParseDisk(string name, Fields fields)
    {
        fields.Skip(2);
        long readBytes = fields.TakeNumber() * SectorBytes;
        fields.Skip(3);
        long writtenBytes = fields.TakeNumber() * SectorBytes;
        fields.Skip(2);
        return new DiskCounters(name, readBytes, writtenBytes, fields.TakeNumber());
    }
}
