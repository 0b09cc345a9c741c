// A payload and the word that says it is there, on the disk in that order.
//
// A disk may write what was not flushed in any order, or not at all. So: the payload is stored and flushed while the word still says what
// it said; only then is the word stored, by one aligned store of eight bytes, which no disk tears; and flushed. Whoever finds the new word,
// after SIGKILL, a panic or a power cut, finds the whole payload; whoever finds the old one must not look at the payload's place.

using ShmIpc.Interop;

namespace ShmIpc.Memory;

/// <summary>Writes to mapped files that survive a power cut whole or not at all: the payload is on the disk before the word that commits
/// it.</summary>
/// <remarks>
/// The place of the payload must not be one that the present commit word vouches for: write to another slot each time, and let the word say
/// which one holds (its number, a position, a checksum). Two flushes of a disk is what each write costs.
/// </remarks>
public static class Durable
{
    /// <summary>Writes a payload, and then the word that commits it. Both are on the disk when it returns.</summary>
    /// <param name="mapping">A file, shared and writable.</param>
    /// <param name="payloadOffset">Where the payload goes, in bytes from the start of the mapping.</param>
    /// <param name="payload">The payload.</param>
    /// <param name="commitOffset">Where the word is: a multiple of 8, outside the payload.</param>
    /// <param name="commitWord">The word to store there, in this machine's byte order.</param>
    /// <exception cref="ObjectDisposedException">The mapping is disposed.</exception>
    /// <exception cref="InvalidOperationException">The memory may not be written, or is anonymous or private, so that it never reaches a
    /// disk.</exception>
    /// <exception cref="ArgumentException">A range reaches outside the mapping, they overlap, or the word is not aligned.</exception>
    /// <exception cref="ShmException">The disk refused. The word may or may not be there after a restart; the payload is whole if it
    /// is.</exception>
    public static void Write(
        MemoryMapping mapping, long payloadOffset, ReadOnlySpan<byte> payload, long commitOffset, ulong commitWord)
    {
        ArgumentNullException.ThrowIfNull(mapping);
        Check(mapping, payloadOffset, payload.Length, commitOffset);
        mapping.WriteAt(payloadOffset, payload);
        Commit(mapping, payloadOffset, payload.Length, commitOffset, commitWord);
    }

    /// <summary>The same for a payload that stands in the mapping already: flushes it, then stores and flushes the word that commits
    /// it.</summary>
    /// <param name="mapping">A file, shared and writable.</param>
    /// <param name="payloadOffset">Where the payload is, in bytes from the start of the mapping.</param>
    /// <param name="payloadBytes">Its length in bytes.</param>
    /// <param name="commitOffset">Where the word is: a multiple of 8, outside the payload.</param>
    /// <param name="commitWord">The word to store there, in this machine's byte order.</param>
    /// <inheritdoc cref="Write" path="/exception"/>
    public static void Commit(MemoryMapping mapping, long payloadOffset, long payloadBytes, long commitOffset, ulong commitWord)
    {
        ArgumentNullException.ThrowIfNull(mapping);
        Check(mapping, payloadOffset, payloadBytes, commitOffset);
        Commit(mapping, payloadOffset, payloadBytes, commitOffset, commitWord, (offset, length) => mapping.Flush(offset, length));
    }

    // The flush writes a range to the disk; tests have another one.
    internal static void Commit(
        MemoryMapping mapping, long payloadOffset, long payloadBytes, long commitOffset, ulong commitWord, Action<long, long> flush)
    {
        using var word = mapping.Open(commitOffset, sizeof(ulong), writes: true);
        if (payloadBytes > 0) flush(payloadOffset, payloadBytes);
        Atomics.Release(ref word.Span.UInt64(0), commitWord); // SYNC: the payload is there, for whoever maps the file meanwhile
        flush(commitOffset, sizeof(ulong));
    }

    private static void Check(MemoryMapping mapping, long payloadOffset, long payloadBytes, long commitOffset)
    {
        LinuxPlatform.Require();
        mapping.CheckReachesFile(); // before anything is stored
        if (payloadOffset < 0 || payloadBytes < 0 || payloadBytes > mapping.LengthBytes - payloadOffset)
        {
            throw new ArgumentOutOfRangeException(
                nameof(payloadOffset),
                payloadOffset,
                $"A payload of {payloadBytes} bytes there lies outside the mapping, which has {mapping.LengthBytes} bytes.");
        }

        if (commitOffset < 0 || commitOffset % sizeof(ulong) != 0 || commitOffset > mapping.LengthBytes - sizeof(ulong))
        {
            throw new ArgumentOutOfRangeException(
                nameof(commitOffset),
                commitOffset,
                $"The commit word lies at a multiple of 8 inside the mapping, which has {mapping.LengthBytes} bytes: " +
                "else a disk could tear it.");
        }

        if (commitOffset < payloadOffset + payloadBytes && payloadOffset < commitOffset + sizeof(ulong))
        {
            throw new ArgumentException(
                $"The commit word at {commitOffset} lies inside the payload, bytes {payloadOffset} to {payloadOffset + payloadBytes}: " +
                "it would be written before the payload is complete. Put it elsewhere.",
                nameof(commitOffset));
        }
    }
}
