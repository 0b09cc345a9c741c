namespace ShmIpc;

/// <summary>The file system that backs the memory (usually the tmpfs at <c>/dev/shm</c>) or the machine has too little room.</summary>
public sealed class ShmNoSpaceException : ShmException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What was asked for and what there is.</param>
    /// <param name="requestedBytes">Bytes that were asked for.</param>
    /// <param name="availableBytes">Bytes that were free when the request failed, or -1 where that is unknown.</param>
    public ShmNoSpaceException(string message, long requestedBytes, long availableBytes)
        : base(message)
    {
        RequestedBytes = requestedBytes;
        AvailableBytes = availableBytes;
    }

    /// <summary>Bytes that were asked for.</summary>
    public long RequestedBytes { get; }

    /// <summary>Bytes that were free when the request failed, or -1 where that is unknown.</summary>
    public long AvailableBytes { get; }
}
