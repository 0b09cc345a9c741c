namespace ShmIpc;

/// <summary>A producer completed its channel with an error; this carries that error's type and message to the readers.</summary>
public sealed class ShmRemoteException(string remoteTypeName, string remoteMessage)
    : ShmException($"A producer completed the channel with an error: {remoteTypeName}: {remoteMessage}")
{
    /// <summary>The full name of the exception's type in the producer's process (cut to 63 bytes of UTF-8).</summary>
    public string RemoteTypeName { get; } = remoteTypeName;

    /// <summary>The exception's message in the producer's process (cut to 183 bytes of UTF-8).</summary>
    public string RemoteMessage { get; } = remoteMessage;
}
