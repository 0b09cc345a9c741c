using System.Buffers;
using System.Buffers.Binary;
using ShmIpc.Serialization;

namespace ShmIpc.Tests.Serialization;

/// <summary>The serializer that docs/serializers.md shows; <see cref="SerializersDocumentTests"/> compares the two.</summary>
internal sealed class TemperaturePayload : IPayloadSerializer<double>
{
    public string Format => "temperature/1"; // any name; raise the number when the bytes change their meaning

    public void Serialize(IBufferWriter<byte> destination, double value)
    {
        BinaryPrimitives.WriteInt16LittleEndian(destination.GetSpan(2), checked((short)(value * 100)));
        destination.Advance(2);
    }

    public double Deserialize(ReadOnlyMemory<byte> payload) => payload.Length == 2
        ? BinaryPrimitives.ReadInt16LittleEndian(payload.Span) / 100.0
        : throw new InvalidDataException($"a temperature has 2 bytes, and this has {payload.Length}.");
}
