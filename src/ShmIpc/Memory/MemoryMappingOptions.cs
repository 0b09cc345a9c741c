namespace ShmIpc.Memory;

/// <summary>How memory is to be mapped. The defaults suit memory that is shared for reading and writing.</summary>
public sealed class MemoryMappingOptions
{
    /// <summary>What may be done with the memory at first. Default: <see cref="MemoryAccess.ReadWrite"/>.</summary>
    public MemoryAccess Access { get; init; } = MemoryAccess.ReadWrite;

    /// <summary>Who sees what is written. Default: <see cref="MappingSharing.Shared"/>.</summary>
    public MappingSharing Sharing { get; init; }

    /// <summary>Maps the same pages twice in a row, so that a range that passes the end goes on at the start without a seam.
    /// The length must then be a multiple of the page size. It costs address space, not memory. Shared memory only. Default:
    /// false.</summary>
    public bool Mirrored { get; init; }

    /// <summary>Puts one inaccessible page before the memory and one after it, so that a stray access of other code ends the process
    /// at once and does not change the neighbour's memory. Default: true.</summary>
    public bool GuardPages { get; init; } = true;

    /// <summary>Leaves the memory out of core dumps (<c>MADV_DONTDUMP</c>): smaller dumps without the payloads. Default: false.</summary>
    public bool ExcludeFromCoreDumps { get; init; }

    /// <summary>Where the first byte is to lie: a multiple of the page size, or 0 for wherever there is room. Default: 0.</summary>
    public nint Address { get; init; }

    /// <summary>With <see cref="Address"/>: that address or an exception (<c>MAP_FIXED_NOREPLACE</c>; what lies there is never replaced).
    /// Without it, the address is a wish, and the kernel takes another one where something lies already. Default: false.</summary>
    public bool AddressIsRequired { get; init; }

    /// <summary>Reads or creates every page at once, so that no first touch waits for it (<c>MAP_POPULATE</c>, but failing with an
    /// exception). Shared anonymous memory always is. Default: false.</summary>
    public bool Populate { get; init; }

    /// <summary>Huge pages: <c>HugePages.Try(HugePageSize.TwoMebibytes)</c>. What was granted <see cref="MemoryMapping.HugePages"/>
    /// says. Pages of a pool are all taken at once, whatever <see cref="Populate"/> says, and so are transparent ones that are required. A
    /// file is of the pages of its file system. Default: null, for ordinary pages. The risk: from a pool, a forked child that touches
    /// private memory when the pool is empty is ended.</summary>
    public HugePages? HugePages { get; init; }

    /// <summary>Locks the memory until it is unmapped, so that it is never swapped out (<c>MAP_LOCKED</c>, but failing with an exception).
    /// See <see cref="MemoryMapping.Lock(long, long, bool)"/> for a part of it, or for a while. Default: false.</summary>
    public bool Locked { get; init; }

    /// <summary>Does not count the memory against what the machine may promise (<c>MAP_NORESERVE</c>), for large and sparsely used private
    /// memory. Default: false. The risk: when more is touched than there is, the kernel kills a process.</summary>
    public bool NoReserve { get; init; }
}
