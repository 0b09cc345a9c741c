// What must hold of a field before its value may be seen: of these types not every bit pattern is a value, and the code that uses them,
// the runtime's own included, relies on it (a bool indexes a table, a digit of a date looks one up).

using System.Buffers.Binary;

namespace ShmIpc.Serialization;

internal readonly record struct FieldCheck(int Offset, Type Type, string Path)
{
    private const int DecimalSignAndScale = unchecked((int)0x80FF0000);
    private const int MaxDecimalScale = 28;
    private const ulong DateTimeTicks = 0x3FFF_FFFF_FFFF_FFFF; // the rest is its kind, any of four

    public static bool IsNeededFor(Type type) => type == typeof(bool) || type == typeof(decimal) || type == typeof(DateTime);

    /// <summary>True when the bytes of the whole value hold a value of the type here.</summary>
    public bool Holds(ReadOnlySpan<byte> value)
    {
        ReadOnlySpan<byte> field = value[Offset..];
        if (Type == typeof(bool))
        {
            return field[0] <= 1;
        }

        if (Type == typeof(decimal))
        {
            int flags = BinaryPrimitives.ReadInt32LittleEndian(field);
            return (flags & ~DecimalSignAndScale) == 0 && ((flags >> 16) & 0xFF) <= MaxDecimalScale;
        }

        return (BinaryPrimitives.ReadUInt64LittleEndian(field) & DateTimeTicks) <= (ulong)DateTime.MaxValue.Ticks;
    }
}
