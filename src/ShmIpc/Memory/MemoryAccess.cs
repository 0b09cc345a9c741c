namespace ShmIpc.Memory;

/// <summary>What may be done with mapped memory.</summary>
public enum MemoryAccess
{
    /// <summary>Reading. A write ends the process, with no exception to catch.</summary>
    ReadOnly,

    /// <summary>Reading and writing.</summary>
    ReadWrite,
}
