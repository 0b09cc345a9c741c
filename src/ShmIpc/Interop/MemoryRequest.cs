namespace ShmIpc.Interop;

/// <summary>What a refused call of the mmap family was asked for, as far as the caller knows it: with that, the causes can be
/// checked.</summary>
internal readonly record struct MemoryRequest
{
    /// <summary>How many bytes were asked for; 0 for unknown.</summary>
    public long LengthBytes { get; init; }

    /// <summary>Where in the file they begin.</summary>
    public long Offset { get; init; }

    /// <summary>The address that was given; 0 for none.</summary>
    public nint Address { get; init; }

    /// <summary>The descriptor that was given; null for none.</summary>
    public int? Descriptor { get; init; }

    /// <summary>The PROT_ bits, when pages were mapped or their protection changed.</summary>
    public int Protection { get; init; }

    /// <summary>The MAP_ bits, when pages were mapped.</summary>
    public int Flags { get; init; }

    /// <summary>The size of the huge pages that were asked for; 0 for ordinary ones.</summary>
    public long HugePageBytes { get; init; }

    /// <summary>The length in whole pages, as the kernel counts it.</summary>
    public long MappedBytes
    {
        get
        {
            var page = HugePageBytes > 0 ? HugePageBytes : LinuxProcess.PageSizeBytes;
            return LengthBytes > long.MaxValue - page ? long.MaxValue : (LengthBytes + page - 1) / page * page;
        }
    }
}
