// Text messages, one of which nobody can decode.

using System.Buffers;
using System.Text;
using ShmIpc.Channels;
using ShmIpc.Serialization;

namespace ShmIpc.Hosting.Tests;

internal sealed class TextSerializer(string format = "test/text") : IPayloadSerializer<string>
{
    public const string Undecodable = "undecodable";

    public static TextSerializer Instance { get; } = new();

    public string Format => format;

    public void Serialize(IBufferWriter<byte> destination, string value) => Encoding.UTF8.GetBytes(value, destination);

    public string Deserialize(ReadOnlyMemory<byte> payload) =>
        Encoding.UTF8.GetString(payload.Span) is var text and not Undecodable ? text : throw new FormatException("not a text");
}
