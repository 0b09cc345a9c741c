namespace ShmIpc.Memory;

/// <summary>Whom a <see cref="FileLock"/> keeps out.</summary>
public enum FileLockKind
{
    /// <summary>Exclusive locks only: any number of shared ones go together, as readers do. Needs a file open for reading.</summary>
    Shared,

    /// <summary>Every other lock, as a writer does. Needs a file open for writing.</summary>
    Exclusive,
}
