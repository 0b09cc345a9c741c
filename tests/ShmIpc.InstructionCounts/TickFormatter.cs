using MessagePack;
using MessagePack.Formatters;

namespace ShmIpc.InstructionCounts;

/// <summary>What MessagePack generates for a <see cref="Tick"/>; native code cannot generate it at run time.</summary>
internal sealed class TickFormatter : IMessagePackFormatter<Tick>
{
    private const int Fields = 3;

    public void Serialize(ref MessagePackWriter writer, Tick value, MessagePackSerializerOptions options)
    {
        writer.WriteArrayHeader(Fields);
        writer.Write(value.Id);
        writer.Write(value.Price);
        writer.Write(value.Volume);
    }

    public Tick Deserialize(ref MessagePackReader reader, MessagePackSerializerOptions options)
    {
        if (reader.ReadArrayHeader() != Fields)
        {
            throw new MessagePackSerializationException($"A tick has {Fields} fields.");
        }

        return new Tick(reader.ReadInt64(), reader.ReadDouble(), reader.ReadInt64());
    }
}
