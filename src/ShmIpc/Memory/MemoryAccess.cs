namespace ShmIpc.Memory;

/// <summary>What may be done with mapped memory. There is no access that allows both writing and executing, on purpose.</summary>
public enum MemoryAccess
{
    /// <summary>Nothing: a touch by a pointer ends the process, and all members refuse it before that. Address space that is kept free, or
    /// closed for now.</summary>
    None,

    /// <summary>Reading. A write by a pointer ends the process, with no exception to catch; all members refuse it before that.</summary>
    ReadOnly,

    /// <summary>Reading and writing.</summary>
    ReadWrite,

    /// <summary>Reading and executing, for machine code that was written there while the memory was <see cref="ReadWrite"/>.</summary>
    ReadExecute,
}
