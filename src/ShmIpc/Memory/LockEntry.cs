namespace ShmIpc.Memory;

/// <summary>One living lock: pages, or the whole process where start and end are 0; and the flags that the kernel was given. A class, so
/// that two locks of the same pages are two.</summary>
internal sealed class LockEntry(nint start, nint end, int flags)
{
    public nint Start => start;

    public nint End => end;

    public int Flags => flags;

    public long LengthBytes => end - start;
}
