namespace ShmIpc.Memory;

/// <summary>Which huge pages are asked for.</summary>
public enum HugePageSize
{
    /// <summary>Those that the kernel makes of ordinary memory where it finds enough of it in one piece (2 MiB on x64). Nothing has to be
    /// set aside, and nothing is certain.</summary>
    Transparent,

    /// <summary>Pages of 2 MiB from the pool that an administrator set aside (<c>vm.nr_hugepages</c>). They are never swapped.</summary>
    TwoMebibytes,

    /// <summary>Pages of 1 GiB from such a pool, which a machine can often fill only while it starts.</summary>
    OneGibibyte,
}
