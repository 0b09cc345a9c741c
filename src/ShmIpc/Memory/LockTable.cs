// What this process has locked into memory, by its own tokens. The kernel does not count: one munlock undoes any number of mlocks of the
// same page, and munlockall undoes everything. So the list of living tokens stands here, and the kernel is told to unlock only what none
// of them covers any more; after munlockall, it is told again what is still to be locked.

using ShmIpc.Interop;
using Tmds.Linux;
using static ShmIpc.Interop.LibCExtras;
using static Tmds.Linux.LibC;

namespace ShmIpc.Memory;

internal static unsafe class LockTable
{
    private static readonly Lock _lock = new();
    private static readonly List<LockEntry> _ranges = [];
    private static readonly List<LockEntry> _alls = [];
    private static int _generation; // of the process whose locks these are: a forked child has none of its parent's

    /// <summary>Whether the kernel brings all memory in that is mapped from now on.</summary>
    public static bool BringsInWhatIsMapped
    {
        get
        {
            lock (_lock)
            {
                ForgetTheParents();
                return _alls.Any(entry => (entry.Flags & MCL_FUTURE) != 0) && _alls.Any(entry => (entry.Flags & MCL_ONFAULT) == 0);
            }
        }
    }

    /// <summary>The parts of a range that the kernel may bring in as soon as they become accessible.</summary>
    public static IReadOnlyList<(nint Start, nint End)> Held(nint start, nint end)
    {
        lock (_lock)
        {
            ForgetTheParents();
            if (_alls.Any(entry => (entry.Flags & MCL_ONFAULT) == 0)) return [(start, end)];
            var others = NotHeld(start, end).Select(part => new LockEntry(part.Start, part.End, flags: 0));
            return [.. Uncovered(start, end, others)];
        }
    }

    /// <summary>The parts of a range that no lock of a range holds in memory.</summary>
    public static IReadOnlyList<(nint Start, nint End)> NotHeld(nint start, nint end)
    {
        lock (_lock)
        {
            ForgetTheParents();
            return [.. Uncovered(start, end, _ranges.Where(entry => (entry.Flags & MLOCK_ONFAULT) == 0))];
        }
    }

    /// <summary>Locks whole pages that stay mapped until the entry is removed; says why when it is refused.</summary>
    public static LockEntry? TryAddRange(nint start, nint end, bool onFault, out Exception? refusal)
    {
        var entry = new LockEntry(start, end, onFault ? MLOCK_ONFAULT : 0);
        lock (_lock)
        {
            ForgetTheParents();
            refusal = Call(entry);
            if (refusal is null)
            {
                _ranges.Add(entry);
                return entry;
            }

            UnlockUncovered(entry); // the kernel may have locked part of it before it refused
            return null;
        }
    }

    /// <summary>Locks the whole process; says why when it is refused.</summary>
    public static LockEntry? TryAddAll(MemoryLockScope scope, bool onFault, out Exception? refusal)
    {
        var flags = (scope.HasFlag(MemoryLockScope.Current) ? MCL_CURRENT : 0) | (scope.HasFlag(MemoryLockScope.Future) ? MCL_FUTURE : 0);
        var entry = new LockEntry(0, 0, onFault ? flags | MCL_ONFAULT : flags);
        lock (_lock)
        {
            ForgetTheParents();
            refusal = RefusalOfAll(scope) ?? (onFault || !scope.HasFlag(MemoryLockScope.Current) ? null : ShortageOfAll());
            if (refusal is not null) return null;
            _alls.Add(entry);
            refusal = Tell();
            if (refusal is null) return entry;
            _alls.Remove(entry);
            _ = Tell();
            return null;
        }
    }

    /// <summary>Unlocks what nobody else holds locked. A second time does nothing.</summary>
    /// <exception cref="ShmException">What others hold locked could not be locked again.</exception>
    public static void Remove(LockEntry entry)
    {
        lock (_lock)
        {
            ForgetTheParents();
            if (_alls.Remove(entry)) ThrowIfAny(Tell());
            else if (_ranges.Remove(entry)) UnlockUncovered(entry);
        }
    }

    /// <summary>Ends every lock of the whole process; ranges that are locked by themselves stay so.</summary>
    public static void RemoveAlls()
    {
        lock (_lock)
        {
            ForgetTheParents();
            _alls.Clear();
            ThrowIfAny(Tell());
        }
    }

    // Everything from the start: what is locked as a whole, and then the ranges.
    private static Exception? Tell()
    {
        if (munlockall() != 0) return LinuxError.ToException(errno, "munlockall", "");
        if (_alls.Count > 0)
        {
            var flags = _alls.Aggregate(0, (all, entry) => all | entry.Flags & ~MCL_ONFAULT);
            if (_alls.All(entry => (entry.Flags & MCL_ONFAULT) != 0)) flags |= MCL_ONFAULT;
            if (mlockall(flags) != 0) return LinuxError.ToException(errno, "mlockall", $"flags {flags}");
        }

        return _ranges.Select(Again).FirstOrDefault(refusal => refusal is not null);
    }

    // What was closed meanwhile (MemoryAccess.None) the kernel brings in no more: it is locked as it is.
    private static Exception? Again(LockEntry entry) =>
        Call(entry) is { } refusal && mlock2((void*)entry.Start, Size(entry.LengthBytes), MLOCK_ONFAULT) != 0 ? refusal : null;

    private static Exception? Call(LockEntry entry)
    {
        if (mlock2((void*)entry.Start, Size(entry.LengthBytes), entry.Flags) == 0) return null;
        var failure = errno;
        return LinuxError.ToException(
            failure,
            "mlock2",
            $"length {entry.LengthBytes}",
            request: new MemoryRequest { Address = entry.Start, LengthBytes = entry.LengthBytes });
    }

    private static void UnlockUncovered(LockEntry entry)
    {
        if (_alls.Count > 0) return;
        foreach (var (start, end) in Uncovered(entry.Start, entry.End, _ranges)) Unlock(start, end);
    }

    private static IEnumerable<(nint Start, nint End)> Uncovered(nint start, nint end, IEnumerable<LockEntry> entries)
    {
        foreach (var other in entries.Where(other => other.Start < end && other.End > start).OrderBy(other => other.Start))
        {
            if (other.Start > start) yield return (start, other.Start);
            start = Math.Max(start, other.End);
        }

        if (start < end) yield return (start, end);
    }

    private static void ForgetTheParents()
    {
        if (ForkMarker.Generation == _generation && _generation != 0) return;
        _generation = ForkMarker.Join();
        _ranges.Clear();
        _alls.Clear();
    }

    // The pages are mapped, so this cannot be refused.
    private static void Unlock(nint start, nint end) => _ = munlock((void*)start, Size(end - start));

    // Locking brings in everything that may be touched: not guard pages and address space that is only reserved. In private writable memory
    // every page is copied that is not its own yet.
    private static ShmNoSpaceException? ShortageOfAll()
    {
        var mapped = MayBeTouched(withSizes: false).Sum(entry => entry.LengthBytes);
        return LinuxMemory.Shortage(mapped) is null ? null : LinuxMemory.Shortage(MayBeTouched(withSizes: true).Sum(MissingBytes));
    }

    private static IEnumerable<ProcessMapping> MayBeTouched(bool withSizes) =>
        ProcessMaps.Read(withSizes: withSizes).Entries.Where(entry => entry.IsReadable || entry.IsWritable || entry.IsExecutable);

    private static long MissingBytes(ProcessMapping entry)
    {
        var thereBytes = !entry.IsShared && entry.IsWritable
            ? entry.Sizes?.AnonymousBytes + entry.Sizes?.SwapBytes + entry.Sizes?.PrivatePoolPageBytes
            : entry.Sizes?.ResidentBytes + entry.Sizes?.SharedPoolPageBytes + entry.Sizes?.PrivatePoolPageBytes;
        return Math.Max(0, entry.LengthBytes - (thereBytes ?? 0));
    }

    // Without the right to lock beyond the limit, mlockall(MCL_FUTURE) succeeds, and the next mapping or thread that does not fit ends the
    // process. MCL_CURRENT is refused by the kernel itself; so where only the future is asked for, it is tried first.
    private static Exception? RefusalOfAll(MemoryLockScope scope)
    {
        if (!scope.HasFlag(MemoryLockScope.Future)) return null;
        var limit = LinuxLimits.Soft(RLIMIT_MEMLOCK);
        if (limit is not null && ProcessStatus.ReadOwn().MayLockBeyondLimit != true)
        {
            return new UnauthorizedAccessException(
                $"Locking all future memory needs the right to lock any amount of it, and this process may lock {limit} bytes " +
                "(RLIMIT_MEMLOCK): the next mapping or thread beyond that would end the process. Raise the limit to unlimited " +
                "(`ulimit -l unlimited`, " +
                "`LimitMEMLOCK=infinity`), give the process CAP_IPC_LOCK, or lock only the mappings that matter (MemoryMapping.Lock).");
        }

        if (scope.HasFlag(MemoryLockScope.Current)) return null;
        var isRefused = mlockall(MCL_CURRENT | MCL_ONFAULT) != 0;
        return isRefused ? LinuxError.ToException(errno, "mlockall", "MCL_CURRENT, asked before MCL_FUTURE") : Tell();
    }

    private static void ThrowIfAny(Exception? refusal)
    {
        if (refusal is not null) throw refusal;
    }

    private static size_t Size(long bytes) => (size_t)(ulong)bytes;
}
