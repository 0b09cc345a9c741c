namespace ShmIpc.Tests.Memory;

/// <summary>Where the memory of a test comes from.</summary>
public enum MappingSource
{
    /// <summary>A file on tmpfs.</summary>
    File,

    /// <summary>A memfd.</summary>
    Memfd,

    /// <summary>No file at all.</summary>
    Anonymous,
}
