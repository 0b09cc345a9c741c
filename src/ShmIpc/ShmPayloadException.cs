namespace ShmIpc;

/// <summary>A message arrived whole but could not be decoded as the expected type. It is skipped: the next read continues behind
/// it.</summary>
public sealed class ShmPayloadException : ShmException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What could not be decoded, and why.</param>
    /// <param name="lane">The lane in which the message stands.</param>
    /// <param name="position">The position of the message in its lane.</param>
    /// <param name="innerException">What the serializer threw.</param>
    public ShmPayloadException(string message, int lane, long position, Exception innerException)
        : base(message, innerException)
    {
        Lane = lane;
        Position = position;
    }

    /// <summary>The lane in which the message stands.</summary>
    public int Lane { get; }

    /// <summary>The position of the message in its lane, in bytes since the lane was created.</summary>
    public long Position { get; }
}
