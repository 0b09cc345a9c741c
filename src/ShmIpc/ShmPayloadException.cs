namespace ShmIpc;

/// <summary>A message or value arrived whole but could not be decoded as the expected type. A message is skipped: the next read continues
/// behind it.</summary>
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

    /// <summary>Creates the exception for a shared value.</summary>
    /// <param name="message">What could not be decoded, and why.</param>
    /// <param name="innerException">What the serializer threw.</param>
    public ShmPayloadException(string message, Exception innerException)
        : this(message, -1, -1, innerException)
    {
    }

    /// <summary>The lane in which the message stands; -1 for a shared value.</summary>
    public int Lane { get; }

    /// <summary>The position of the message in its lane, in bytes since the lane was created; -1 for a shared value.</summary>
    public long Position { get; }
}
