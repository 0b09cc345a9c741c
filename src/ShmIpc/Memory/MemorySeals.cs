namespace ShmIpc.Memory;

/// <summary>What nobody can do with a <see cref="MemoryFile"/> any more, its creator and root included. A seal is never taken
/// off.</summary>
[Flags]
public enum MemorySeals
{
    /// <summary>Everything may be done.</summary>
    None = 0,

    /// <summary>No further seals can be put on (<c>F_SEAL_SEAL</c>).</summary>
    Seal = 0x1,

    /// <summary>The file never gets shorter (<c>F_SEAL_SHRINK</c>): what is mapped of it stays there. Without this seal, whoever has the
    /// file can end every process that has it mapped (SIGBUS).</summary>
    Shrink = 0x2,

    /// <summary>The file never gets longer (<c>F_SEAL_GROW</c>).</summary>
    Grow = 0x4,

    /// <summary>Its bytes never change again (<c>F_SEAL_WRITE</c>). Refused as long as anybody has it mapped, shared, for
    /// writing.</summary>
    Write = 0x8,

    /// <summary>Only mappings for writing that exist already can change its bytes (<c>F_SEAL_FUTURE_WRITE</c>, Linux 5.1): its creator goes
    /// on writing, everybody else reads.</summary>
    FutureWrite = 0x10,

    /// <summary>Its permission to be executed never changes (<c>F_SEAL_EXEC</c>, Linux 6.3, which puts it on every
    /// <see cref="MemoryFile"/>: it is no program). Mapping machine code is another matter, and not forbidden.</summary>
    Exec = 0x20,
}
