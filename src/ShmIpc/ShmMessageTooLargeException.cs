namespace ShmIpc;

/// <summary>A message or value is larger than its channel, shared value or serializer allows. Nothing was published.</summary>
public sealed class ShmMessageTooLargeException : ShmException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="messageBytes">Size of the message, as far as it was known.</param>
    /// <param name="maxMessageBytes">Largest message of the channel.</param>
    public ShmMessageTooLargeException(long messageBytes, long maxMessageBytes)
        : this(
            messageBytes,
            maxMessageBytes,
            $"A message of {messageBytes} bytes is too large: messages of this channel have at most {maxMessageBytes} bytes (half "
            + "of a lane, less 16). "
            + "Send less, or create the channel with a larger LaneCapacityBytes.")
    {
    }

    internal ShmMessageTooLargeException(long messageBytes, long maxMessageBytes, string message)
        : base(message)
    {
        MessageBytes = messageBytes;
        MaxMessageBytes = maxMessageBytes;
    }

    internal ShmMessageTooLargeException(string message, long messageBytes, long maxMessageBytes)
        : base(message)
    {
        MessageBytes = messageBytes;
        MaxMessageBytes = maxMessageBytes;
    }

    /// <summary>Size of the message in bytes, as far as it was known.</summary>
    public long MessageBytes { get; }

    /// <summary>Largest message in bytes that would have been taken.</summary>
    public long MaxMessageBytes { get; }
}
