// A part of a file: what a worker of `words` gets as its job.
using ShmIpc.Memory;

namespace ShmIpc.Examples.Pool;

/// <param name="Offset">Where it begins, in bytes.</param>
/// <param name="LengthBytes">How long it is.</param>
/// <param name="Work">What is done with it.</param>
internal readonly record struct Segment(long Offset, long LengthBytes, SegmentWork Work)
{
    private const int Portion = 1 << 16;

    /// <summary>About <paramref name="count"/> parts that begin and end at line borders; fewer when lines are long.</summary>
    public static List<Segment> Split(MemoryMapping file, long lengthBytes, int count, SegmentWork work)
    {
        List<Segment> parts = [];
        for (long start = 0; start < lengthBytes;)
        {
            long end = AfterLineFeed(file, Math.Min(lengthBytes, start + Math.Max(1, lengthBytes / count)), lengthBytes);
            parts.Add(new(start, end - start, work));
            start = end;
        }
        return parts;
    }

    private static long AfterLineFeed(MemoryMapping file, long from, long lengthBytes)
    {
        for (long at = from - 1; at < lengthBytes; at += Portion)
        {
            int found = file.Read(at, (int)Math.Min(Portion, lengthBytes - at), static bytes => bytes.IndexOf((byte)'\n'));
            if (found >= 0)
                return at + found + 1;
        }
        return lengthBytes;
    }
}
