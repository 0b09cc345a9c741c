namespace ShmIpc.Memory;

/// <summary>What the kernel is told about the use of memory (<c>madvise</c>). None of it can make an access fail in this process.</summary>
public enum MemoryAdvice
{
    /// <summary>Nothing special: takes back <see cref="Sequential"/> and <see cref="Random"/>.</summary>
    Normal,

    /// <summary>It will be read once from start to end: read far ahead, and drop what was read early.</summary>
    Sequential,

    /// <summary>It will be read here and there: do not read ahead.</summary>
    Random,

    /// <summary>It will be needed soon: begin to read it from the file, in the background.</summary>
    WillNeed,

    /// <summary>It is not needed now. Shared memory and files keep their contents; what was written to private memory is lost: it is zero
    /// again, or what the file holds.</summary>
    DontNeed,

    /// <summary>Reads all of it into memory and maps it now, so that no first touch waits (Linux 5.14).</summary>
    PopulateRead,

    /// <summary>The same, and makes every page writable at once; needs <see cref="MemoryAccess.ReadWrite"/> (Linux 5.14).</summary>
    PopulateWrite,

    /// <summary>Pages out first what is in this range when memory runs short (Linux 5.4).</summary>
    Cold,

    /// <summary>Writes it to the file or to swap and gives its memory back now (Linux 5.4). The contents stay.</summary>
    PageOut,

    /// <summary>May be backed by transparent huge pages. What comes of it the kernel decides: read it back from smaps.</summary>
    HugePage,

    /// <summary>Must not be backed by transparent huge pages.</summary>
    NoHugePage,

    /// <summary>A forked child does not get it. Until <see cref="DoFork"/> is said for all of it, every use of the mapping is a
    /// <see cref="ShmForkedProcessException"/> there, and disposing it leaves alone what lies in its place. Touching a span from before
    /// the fork ends the child.</summary>
    DontFork,

    /// <summary>A forked child gets it, as usual.</summary>
    DoFork,

    /// <summary>Left out of core dumps.</summary>
    DontDump,

    /// <summary>In core dumps, as usual.</summary>
    DoDump,
}
