using System.Buffers;
using System.Text;

namespace ShmIpc.Serialization;

/// <summary>Sends text as UTF-8, and nothing else: no length, no byte order mark.</summary>
/// <remarks>Half a surrogate pair is refused when it is written (<see cref="EncoderFallbackException"/>, with its index), and bytes that
/// are no UTF-8 when they are read, with their offset: nothing is replaced in silence.</remarks>
public sealed class StringPayload : IPayloadSerializer<string>
{
    private static readonly UTF8Encoding _utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary><c>utf-8</c>.</summary>
    public string Format => "utf-8";

    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException">The message is null; an empty string is a message.</exception>
    public void Serialize(IBufferWriter<byte> destination, string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        _utf8.GetBytes(value, destination);
    }

    /// <inheritdoc/>
    public string Deserialize(ReadOnlyMemory<byte> payload) => _utf8.GetString(payload.Span);
}
