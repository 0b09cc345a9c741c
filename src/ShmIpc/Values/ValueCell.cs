// The latest of a sequence of values that one process at a time writes and any number read: never torn, without locks, and readable when
// the writer died at any instruction. It takes memory (ValueLayout.cs says where what stands) and knows no file, name or serializer.
//
// Values are numbered 1, 2, ... across all writers; 0 says that there is none yet. Value v goes into buffer v mod 4, and that buffer's
// own version word says which value it holds or is about to hold. Only the process whose stamp is in the owner word writes anything.
//
//   WRITING v                                        READING
//   (W1) buffer's version = v                        (R1) v = version, acquire; 0: there is none
//   (W2) write barrier                               (R2) buffer's version not v: (R1); this look only saves copies in vain
//   (W3) length, value                               (R3) length, bounded; copy of the value
//   (W4) version = v, release                        (R4) read barrier
//                                                    (R5) buffer's version not v: (R1)
//
// NEVER TORN. R1 found what W4 stored, so R3 sees W3 of v, or something later. Later stores into the buffer belong to v + 4, v + 8, ...,
// each behind a W1 and its W2: if R3 saw any of them then R5, behind R4, sees that W1 or a later one, and that is not v: versions
// only grow. With one exception: a writer that died before W4 and its successor write the same v. But whoever finds v in the version
// word finds what the successor stored there, and so all of the successor's W3; nobody can have found it before.
//
// NEVER BACK. R1 loads one word that only grows, so the versions that a reader sees do, too.
//
// SURVIVES THE WRITER. W4 is what publishes. Before it the version names the value before, whose buffer has not been touched since
// (three more values go elsewhere first); so that value stays readable whatever W1 to W3 have done, and at any instruction
// "the buffer of the present version holds that version" is true. A successor goes on from there, and refuses a cell in which it is not.
//
// PROGRESS. The writer waits for nobody. A reader starts over only if, between its R1 and its R5, the writer came to W1 of value v + 4:
// it published three values and began a fourth while the reader copied one. With two buffers one would have been enough, which
// a writer that never pauses does all the time (measured: 4815 attempts in a row for 4000 bytes on two cores; 23 with four). With
// four it takes a reader that lost the processor or a cache line at the wrong moment, and that must happen MaxReadAttempts times in
// a row before a read gives up: only a peer that scribbles can do that.
//
// STREAMING STORES. A copy of more than some hundred KiB may use stores that x86 does not order behind W1. So a copy from
// StreamingBytes on stands between full fences.

using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using ShmIpc.Memory;

namespace ShmIpc.Values;

internal readonly struct ValueCell(MappedSpan section, int maxValueBytes)
{
    public const int MaxReadAttempts = 10_000;
    private const int StreamingBytes = 64 * 1024;
    private const ulong MaxVersion = 1UL << 62;
    private readonly MappedSpan _section = section;
    private readonly int _maxValueBytes = maxValueBytes;
    private readonly long _bufferBytes = ValueLayout.BufferBytes(maxValueBytes);

    /// <summary>Stamp of the writer, 0 = nobody.</summary>
    public ref ulong Owner => ref _section.UInt64(ValueLayout.OwnerOffset);

    /// <summary>Number of the latest value, 0 = none was ever written.</summary>
    /// <exception cref="ShmCorruptionException">It is a number that no writer ever reaches.</exception>
    public long Version
    {
        get
        {
            ulong version = Atomics.Acquire(ref _section.UInt64(ValueLayout.VersionOffset)); // SYNC: value visible to readers
            if (version > MaxVersion)
            {
                ThrowDamaged($"Its version is {version}, and no writer comes beyond {MaxVersion}");
            }

            return (long)version;
        }
    }

    /// <summary>Writes a value, numbered one higher than the one before. Owner only.</summary>
    public void Write(long version, ReadOnlySpan<byte> value)
    {
        MappedSpan buffer = Buffer(version);
        Atomics.Release(ref buffer.UInt64(ValueLayout.BufferVersionOffset), (ulong)version);
        Order(value.Length); // SYNC: buffer renamed before it changes
        Atomics.Store(ref buffer.UInt32(ValueLayout.BufferLengthOffset), (uint)value.Length);
        Span<byte> bytes = buffer.Bytes(ValueLayout.BufferValueOffset, value.Length);
        CrashPoint.BeforeStore(bytes);
        value.CopyTo(bytes);
        Order(value.Length);
        Atomics.Release(ref _section.UInt64(ValueLayout.VersionOffset), (ulong)version); // SYNC: value visible to readers
    }

    /// <summary>Copies the latest value into <paramref name="copy"/>, an array of the shared pool that is replaced when it is too small.
    /// </summary>
    /// <returns>Number of the value, 0 when none was ever written.</returns>
    /// <exception cref="ShmCorruptionException">A peer keeps changing what only the writer changes, or has damaged it.</exception>
    public long Read(ref byte[] copy, out int lengthBytes)
    {
        for (int attempt = 0; attempt < MaxReadAttempts; attempt++)
        {
            long version = Version;
            if (version == 0)
            {
                lengthBytes = 0;
                return 0;
            }

            MappedSpan buffer = Buffer(version);
            ref ulong bufferVersion = ref buffer.UInt64(ValueLayout.BufferVersionOffset);
            if (Atomics.Acquire(ref bufferVersion) != (ulong)version)
            {
                continue;
            }

            uint length = Atomics.Acquire(ref buffer.UInt32(ValueLayout.BufferLengthOffset));
            bool isPlausible = length <= (uint)_maxValueBytes;
            lengthBytes = isPlausible ? (int)length : 0;
            Fit(ref copy, lengthBytes);
            buffer.Bytes(ValueLayout.BufferValueOffset, lengthBytes).CopyTo(copy);
            Atomics.ReadBarrier(); // SYNC: buffer renamed before it changes
            if (Atomics.Acquire(ref bufferVersion) != (ulong)version)
            {
                continue;
            }

            if (!isPlausible)
            {
                ThrowDamaged($"Value {version} says that it has {length} bytes, and {_maxValueBytes} are the most");
            }

            return version;
        }

        ThrowDamaged($"It changed at every one of {MaxReadAttempts} attempts to read it, or its latest value is gone");
        throw null;
    }

    /// <summary>The number of the latest value, for a new owner.</summary>
    /// <exception cref="ShmCorruptionException">The words are as no writer leaves them, wherever it dies.</exception>
    public long VersionToContinue()
    {
        long version = Version;
        if (version != 0 && Atomics.Acquire(ref Buffer(version).UInt64(ValueLayout.BufferVersionOffset)) != (ulong)version)
        {
            ThrowDamaged($"Its version is {version}, and the buffer of that version holds another");
        }

        return version;
    }

    private MappedSpan Buffer(long version) =>
        _section.Slice(ValueLayout.BuffersOffset + (version % ValueLayout.Buffers * _bufferBytes), _bufferBytes);

    private static void Order(int lengthBytes)
    {
        if (lengthBytes < StreamingBytes)
        {
            Atomics.WriteBarrier();
        }
        else
        {
            Atomics.FullFence();
        }
    }

    private static void Fit(ref byte[] copy, int lengthBytes)
    {
        if (copy.Length < lengthBytes)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(lengthBytes);
            GiveBack(copy);
            copy = larger;
        }
    }

    /// <summary>Gives an array back that <see cref="Read"/> left.</summary>
    public static void GiveBack(byte[] copy)
    {
        if (copy.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(copy);
        }
    }

    [DoesNotReturn]
    private static void ThrowDamaged(string what) => throw new ShmCorruptionException(
        $"The shared value is damaged. {what}. A peer overwrote it; delete it and create it anew.");
}
