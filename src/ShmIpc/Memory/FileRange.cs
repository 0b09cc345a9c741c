// A range of a file as locks have it: it may lie past the end of the file, and may be open at its end.

namespace ShmIpc.Memory;

/// <summary>Bytes of a file, which need not exist yet. The default value is the whole file, however far it grows.</summary>
public readonly record struct FileRange
{
    /// <summary>A number of bytes.</summary>
    /// <param name="offset">The first byte.</param>
    /// <param name="lengthBytes">How many: at least one.</param>
    /// <exception cref="ArgumentOutOfRangeException">The offset is negative, the length is not positive, or no file reaches that far.
    /// </exception>
    public FileRange(long offset, long lengthBytes)
        : this(offset)
    {
        if (lengthBytes <= 0)
        {
            throw new ArgumentOutOfRangeException(nameof(lengthBytes), lengthBytes,
                "A range has at least one byte. FileRange.From(offset) is the one that reaches to the end of the file.");
        }

        if (offset > long.MaxValue - lengthBytes)
        {
            throw new ArgumentOutOfRangeException(nameof(lengthBytes), lengthBytes,
                $"No file reaches {lengthBytes} bytes past offset {offset}: use FileRange.From(offset) for all the rest of it.");
        }

        RawLengthBytes = lengthBytes;
    }

    private FileRange(long offset)
    {
        if (offset < 0) throw new ArgumentOutOfRangeException(nameof(offset), offset, "A file begins at offset 0.");
        Offset = offset;
    }

    /// <summary>All bytes, also those that the file does not have yet.</summary>
    public static FileRange Whole => default;

    /// <summary>The first byte.</summary>
    public long Offset { get; }

    /// <summary>How many bytes; null for all from <see cref="Offset"/> on, however far the file grows.</summary>
    public long? LengthBytes => RawLengthBytes == 0 ? null : RawLengthBytes;

    /// <summary>As the kernel has it: 0 is to the end.</summary>
    internal long RawLengthBytes { get; private init; }

    /// <summary>All bytes from one on, however far the file grows.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The offset is negative.</exception>
    public static FileRange From(long offset) => new(offset);

    /// <summary>The range in words, such as <c>bytes 0 to 9</c>.</summary>
    public override string ToString() => this switch
    {
        { RawLengthBytes: 0, Offset: 0 } => "all bytes",
        { RawLengthBytes: 0 } => $"all bytes from {Offset} on",
        { RawLengthBytes: 1 } => $"byte {Offset}",
        _ => $"bytes {Offset} to {Offset + RawLengthBytes - 1}",
    };

    internal static FileRange OfKernel(long offset, long lengthBytes) => new(offset) { RawLengthBytes = lengthBytes };
}
