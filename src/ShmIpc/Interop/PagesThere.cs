namespace ShmIpc.Interop;

/// <summary>Which pages of a range take no more memory when all of them are brought in.</summary>
internal enum PagesThere
{
    /// <summary>None: those of a file on a disk, which count as available memory while they are only cached.</summary>
    None,

    /// <summary>Those that are in memory: shared memory.</summary>
    InMemory,

    /// <summary>Those that this process has to itself: private memory, in which what belongs to a file, is all zero or is shared with a
    /// forked child is copied.</summary>
    Own,
}
