// What the kernel is told about a mapping's use, and asked to write to the disk.

using ShmIpc.Interop;
using static ShmIpc.Interop.LibCExtras;
using static Tmds.Linux.LibC;

namespace ShmIpc.Memory;

public sealed unsafe partial class MemoryMapping
{
    /// <summary>Tells the kernel how whole pages will be used (<c>madvise</c>).</summary>
    /// <param name="offset">The first byte: a multiple of <see cref="PageSizeBytes"/>.</param>
    /// <param name="lengthBytes">How many bytes: a multiple of <see cref="PageSizeBytes"/>, or up to the end of the mapping.</param>
    /// <param name="advice">What to tell.</param>
    /// <exception cref="ObjectDisposedException">The mapping is disposed.</exception>
    /// <exception cref="ArgumentException">The range is not whole pages of the mapping, or there is no such advice.</exception>
    /// <exception cref="InvalidOperationException">The mapping is mirrored, or is to be populated and does not allow that access, or gives
    /// up private huge pages of a pool.</exception>
    /// <exception cref="ShmNoSpaceException">Populating found no room in the file system or in memory.</exception>
    /// <exception cref="ShmException">The kernel refused: it is too old for that advice, or the pages are locked and may not be given
    /// up.</exception>
    public void Advise(long offset, long lengthBytes, MemoryAdvice advice)
    {
        CheckPages(offset, lengthBytes);
        var number = NumberOf(advice);
        CheckNotMirrored(nameof(Advise));
        if (advice == MemoryAdvice.DontNeed && Sharing == MappingSharing.Private && IsOfPool)
        {
            throw new InvalidOperationException(
                "Private huge pages of a pool that are given up may be gone when they are touched again, which would end the process: " +
                "dispose the mapping, or map shared memory.");
        }

        AddReference();
        try
        {
            var bytes = PageEnd(offset + lengthBytes) - offset;
            if (advice is MemoryAdvice.PopulateRead or MemoryAdvice.PopulateWrite)
            {
                var writes = advice == MemoryAdvice.PopulateWrite;
                lock (_viewsLock) CheckAccess(new OpenView(this, offset, offset + lengthBytes, writes));
                RequireRoom((nint)(_start + offset), bytes, writes);
            }

            if (advice == MemoryAdvice.DontFork) Withhold();
            if (TryPopulate((nint)(_start + offset), bytes, number, out var failure))
            {
                if (advice == MemoryAdvice.DoFork && bytes == _insideBytes) _isWithheld = false;
                return;
            }

            if ((failure == EFAULT || failure == ENOMEM) && advice is MemoryAdvice.PopulateRead or MemoryAdvice.PopulateWrite)
            {
                throw new ShmNoSpaceException(
                    $"There is no room for {bytes} bytes of memory or of the file system behind it: free some, or populate less.",
                    bytes,
                    availableBytes: -1);
            }

            throw LinuxError.ToException(
                failure,
                "madvise",
                $"offset {offset}, length {bytes}, {advice}",
                failure == EINVAL && GivesUp(advice) ? CureOfLocked(offset, bytes) : null,
                RequestOf((nint)(_start + offset), bytes));
        }
        finally
        {
            ReleaseReference();
        }
    }

    /// <summary>Writes what was changed in a range to the file's disk (<c>msync</c>).</summary>
    /// <param name="offset">The first byte; any.</param>
    /// <param name="lengthBytes">How many bytes; the pages that hold them are written whole.</param>
    /// <param name="mode">What is promised when the call returns.</param>
    /// <exception cref="ObjectDisposedException">The mapping is disposed.</exception>
    /// <exception cref="ArgumentException">The range reaches outside the mapping, or there is no such mode.</exception>
    /// <exception cref="InvalidOperationException">There is no file that could be written to: the memory is anonymous or
    /// private.</exception>
    /// <exception cref="ShmException">The disk refused. What had been changed may be lost, and trying again finds nothing to write. Or
    /// <see cref="MemoryFlush.Invalidate"/> met pages that are locked.</exception>
    public void Flush(long offset, long lengthBytes, MemoryFlush mode = MemoryFlush.Sync)
    {
        CheckReachesFile();
        var flags = mode switch
        {
            MemoryFlush.Sync => MS_SYNC,
            MemoryFlush.Async => MS_ASYNC,
            MemoryFlush.Invalidate => MS_INVALIDATE,
            _ => throw new ArgumentException($"There is no MemoryFlush {(int)mode}: use Sync, Async or Invalidate.", nameof(mode)),
        };
        AddReference();
        try
        {
            FlushReferenced(offset, lengthBytes, flags, mode);
        }
        finally
        {
            ReleaseReference();
        }
    }

    /// <summary>Writes what was changed anywhere to the file's disk.</summary>
    /// <inheritdoc cref="Flush(long, long, MemoryFlush)"/>
    public void Flush(MemoryFlush mode = MemoryFlush.Sync) => Flush(0, LengthBytes, mode);

    /// <summary>Refuses memory that no flush takes to a disk.</summary>
    internal void CheckReachesFile()
    {
        if (_isFile && Sharing == MappingSharing.Shared) return;
        throw new InvalidOperationException(
            $"{(_isFile ? "A private mapping" : "Anonymous memory")} never reaches a file, so there is nothing to flush: map a file " +
            "with MappingSharing.Shared.");
    }

    /// <summary>Flushes with <see cref="MemoryFlush.Sync"/>, for callers that hold a reference: also after Dispose.</summary>
    internal void FlushReferenced(long offset, long lengthBytes) => FlushReferenced(offset, lengthBytes, MS_SYNC, MemoryFlush.Sync);

    private void FlushReferenced(long offset, long lengthBytes, int flags, MemoryFlush mode)
    {
        var first = PageStart(offset);
        _ = Whole.Slice(offset, lengthBytes);
        CrashPoint.BeforeCall("msync");
        var bytes = offset + lengthBytes - first;
        if (msync(_start + first, Size(bytes), flags) != 0)
        {
            throw LinuxError.ToException(
                errno, "msync", $"offset {offset}, length {lengthBytes}, {mode}", request: RequestOf((nint)(_start + first), bytes));
        }
    }

    private static bool GivesUp(MemoryAdvice advice) => advice is MemoryAdvice.DontNeed or MemoryAdvice.Cold or MemoryAdvice.PageOut;

    private string? CureOfLocked(long offset, long bytes)
    {
        var (start, end) = ((nint)(_start + offset), (nint)(_start + offset + bytes));
        var isLocked = ProcessMaps.Read(withSizes: true).Entries
            .Any(entry => entry.Start < end && entry.End > start && entry.Sizes?.VmFlags.Contains("lo") == true);
        return isLocked ? "Some of the pages are locked, and locked memory is not given up: unlock it first." : null;
    }

    private void Withhold()
    {
        if (!_home.IsHere) _home = HomeProcess.Current(); // inherited itself
        _isWithheld = true;
    }

    private static int NumberOf(MemoryAdvice advice) => advice switch
    {
        MemoryAdvice.Normal => MADV_NORMAL,
        MemoryAdvice.Sequential => MADV_SEQUENTIAL,
        MemoryAdvice.Random => MADV_RANDOM,
        MemoryAdvice.WillNeed => MADV_WILLNEED,
        MemoryAdvice.DontNeed => MADV_DONTNEED,
        MemoryAdvice.PopulateRead => MADV_POPULATE_READ,
        MemoryAdvice.PopulateWrite => MADV_POPULATE_WRITE,
        MemoryAdvice.Cold => MADV_COLD,
        MemoryAdvice.PageOut => MADV_PAGEOUT,
        MemoryAdvice.HugePage => MADV_HUGEPAGE,
        MemoryAdvice.NoHugePage => MADV_NOHUGEPAGE,
        MemoryAdvice.DontFork => MADV_DONTFORK,
        MemoryAdvice.DoFork => MADV_DOFORK,
        MemoryAdvice.DontDump => MADV_DONTDUMP,
        MemoryAdvice.DoDump => MADV_DODUMP,
        _ => throw new ArgumentException($"There is no MemoryAdvice {(int)advice}.", nameof(advice)),
    };
}
