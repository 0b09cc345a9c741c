// The fields of one line of a /proc file, taken one after the other. A field that is missing or no number counts as 0: kernels differ in
// how many fields they write, and a program that shows counters should show the others.
using System.Buffers.Text;

namespace ShmIpc.Examples.Producer.Proc;

internal ref struct Fields(ReadOnlySpan<byte> line)
{
    private ReadOnlySpan<byte> _rest = line;

    /// <summary>The next field, or nothing at the end of the line.</summary>
    public ReadOnlySpan<byte> Take()
    {
        int start = _rest.IndexOfAnyExcept((byte)' ', (byte)'\t');
        if (start < 0)
            return _rest = default;
        _rest = _rest[start..];
        int length = _rest.IndexOfAny((byte)' ', (byte)'\t');
        ReadOnlySpan<byte> field = length < 0 ? _rest : _rest[..length];
        _rest = _rest[field.Length..];
        return field;
    }

    /// <summary>The next field as a number.</summary>
    public long TakeNumber() =>
        Utf8Parser.TryParse(Take(), out ulong number, out _) ? (long)Math.Min(number, long.MaxValue) : 0;

    /// <summary>Leaves out <paramref name="count"/> fields.</summary>
    public void Skip(int count)
    {
        for (int i = 0; i < count; i++)
            Take();
    }
}
