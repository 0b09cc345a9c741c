using System.Buffers;
using System.Text;
using ShmIpc.Channels;
using ShmIpc.Serialization;

namespace ShmIpc.AotSmoke;

/// <summary>A user's own serializer: strings as UTF-8.</summary>
internal sealed class Utf8Text : IPayloadSerializer<string>
{
    public string Format => "utf-8";

    public void Serialize(IBufferWriter<byte> destination, string value) => Encoding.UTF8.GetBytes(value, destination);

    public string Deserialize(ReadOnlyMemory<byte> payload) => Encoding.UTF8.GetString(payload.Span);
}
