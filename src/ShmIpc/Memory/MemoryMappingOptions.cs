namespace ShmIpc.Memory;

/// <summary>How memory is to be mapped. The defaults suit memory that is shared for reading and writing.</summary>
public sealed class MemoryMappingOptions
{
    /// <summary>What may be done with the memory. Default: <see cref="MemoryAccess.ReadWrite"/>.</summary>
    public MemoryAccess Access { get; init; } = MemoryAccess.ReadWrite;

    /// <summary>Maps the same pages twice in a row, so that a range that passes the end goes on at the start without a seam.
    /// The length must then be a multiple of the page size. It costs address space, not memory. Default: false.</summary>
    public bool Mirrored { get; init; }

    /// <summary>Puts one inaccessible page before the memory and one after it, so that a stray access of other code ends the process
    /// at once and does not change the neighbour's memory. Default: true.</summary>
    public bool GuardPages { get; init; } = true;

    /// <summary>Leaves the memory out of core dumps (<c>MADV_DONTDUMP</c>): smaller dumps without the payloads. Default: false.</summary>
    public bool ExcludeFromCoreDumps { get; init; }
}
