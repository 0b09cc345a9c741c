// What stands in the first 8 bytes of every message: which source it comes from, and how many that source has sent before.

using System.Buffers.Binary;
using ShmIpc.Benchmarks.Measuring;

namespace ShmIpc.Benchmarks.Topology;

internal sealed class Numbers
{
    public const int MaxSources = 16;

    private const int SourceShift = 48;

    private readonly ulong[] _next = new ulong[MaxSources];

    /// <summary>Sources that have sent something.</summary>
    public int Sources => _next.Count(next => next != 0);

    public static void Write(Span<byte> payload, int source, ulong number) =>
        BinaryPrimitives.WriteUInt64LittleEndian(payload, ((ulong)source << SourceShift) | number);

    /// <summary>Of the first <paramref name="count"/> messages of a source.</summary>
    public static ulong SumOf(int source, ulong count)
    {
        ulong numbers = count % 2 == 0 ? count / 2 * (count - 1) : count * ((count - 1) / 2);
        return unchecked((((ulong)source << SourceShift) * count) + numbers);
    }

    public static ulong Read(ReadOnlySpan<byte> payload) => BinaryPrimitives.ReadUInt64LittleEndian(payload);

    /// <summary>Fails the run unless it is its source's next.</summary>
    public void Check(ReadOnlySpan<byte> payload)
    {
        ulong value = Read(payload);
        ulong source = value >> SourceShift;
        ulong number = value & ((1UL << SourceShift) - 1);
        if (source >= MaxSources || number != _next[source])
        {
            Measurement.ThrowWrongMessage(source < MaxSources ? _next[source] : 0, number);
        }

        _next[source]++;
    }
}
