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

    /// <summary>Locks whole pages that stay mapped until the entry is removed; says why when it is refused.</summary>
    public static LockEntry? TryAddRange(nint start, nint end, bool onFault, out Exception? refusal)
    {
        var entry = new LockEntry(start, end, onFault ? MLOCK_ONFAULT : 0);
        lock (_lock)
        {
            refusal = Shortage(entry) ?? Call(entry);
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
            if (_alls.Remove(entry)) ThrowIfAny(Tell());
            else if (_ranges.Remove(entry)) UnlockUncovered(entry);
        }
    }

    /// <summary>Ends every lock of the whole process; ranges that are locked by themselves stay so.</summary>
    public static void RemoveAlls()
    {
        lock (_lock)
        {
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
        var from = entry.Start;
        foreach (var other in _ranges.Where(other => other.Start < entry.End && other.End > entry.Start).OrderBy(other => other.Start))
        {
            if (other.Start > from) Unlock(from, other.Start);
            if (other.End > from) from = other.End;
        }

        if (from < entry.End) Unlock(from, entry.End);
    }

    // The pages are mapped, so this cannot be refused.
    private static void Unlock(nint start, nint end) => _ = munlock((void*)start, Size(end - start));

    // Locking brings every page into memory: more than there is would have the kernel kill a process.
    private static ShmNoSpaceException? Shortage(LockEntry entry) => (entry.Flags & MLOCK_ONFAULT) != 0
        ? null
        : LinuxMemory.ShortageFor(entry.Start, entry.LengthBytes);

    // The same for everything that is mapped and may be touched, guard pages and address space that is only reserved left out.
    private static ShmNoSpaceException? ShortageOfAll()
    {
        var mapped = ProcessMaps.Read().Entries.Where(entry => entry.IsReadable || entry.IsWritable || entry.IsExecutable);
        return LinuxMemory.Shortage(mapped.Sum(entry => entry.LengthBytes) - (ProcessMemory.Read().ResidentBytes ?? 0));
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
