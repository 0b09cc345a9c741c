using System.Buffers;

namespace ShmIpc.Serialization;

/// <summary>Sends bytes as they are. The format is that of <see cref="Channels.ShmByteChannel"/>, so the other side may work at the byte
/// level, without a copy.</summary>
public sealed class BytesPayload : IPayloadSerializer<byte[]>
{
    /// <summary><c>bytes</c>.</summary>
    public string Format => "bytes";

    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException">The message is null; an empty array is a message.</exception>
    public void Serialize(IBufferWriter<byte> destination, byte[] value)
    {
        ArgumentNullException.ThrowIfNull(value);
        destination.Write(value);
    }

    /// <summary>Returns a copy.</summary>
    /// <param name="payload">The message's bytes.</param>
    public byte[] Deserialize(ReadOnlyMemory<byte> payload) => payload.ToArray();
}
