// /proc/PID/maps and smaps as objects. The kernel promises, while the process goes on mapping, that addresses never go backwards from line
// to line, and that what was mapped all the time is listed; each line is whole. Lines of a form that is not known are passed over.

using System.Globalization;
using ShmIpc.Interop;

namespace ShmIpc.Memory;

/// <summary>What a process has mapped, as the kernel lists it: a snapshot, of a process that may go on.</summary>
public sealed class ProcessMaps
{
    private const string Maps = "maps";
    private const string Smaps = "smaps";

    private readonly List<ProcessMapping> _entries;

    private ProcessMaps(List<ProcessMapping> entries) => _entries = entries;

    /// <summary>The mappings, by address.</summary>
    public IReadOnlyList<ProcessMapping> Entries => _entries;

    /// <summary>Lists what a process has mapped.</summary>
    /// <param name="processId">The process; null for this one.</param>
    /// <param name="withSizes">Reads <c>smaps</c>, which also says how many bytes of each mapping are in memory, shared, changed, locked.
    /// The kernel looks at every page for that: the more is in memory, the longer it takes. Default: false.</param>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64 with glibc.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The id is not positive.</exception>
    /// <exception cref="UnauthorizedAccessException">The process belongs to another user, or hides itself.</exception>
    /// <exception cref="ShmException">There is no such process, or it ended meanwhile.</exception>
    public static ProcessMaps Read(int? processId = null, bool withSizes = false)
    {
        LinuxPlatform.Require();
        return ReadFile(PathOf(processId, withSizes ? Smaps : Maps), withSizes);
    }

    /// <summary>The mapping that an address lies in; null when nothing is mapped there.</summary>
    /// <param name="address">The address.</param>
    public ProcessMapping? Find(nint address)
    {
        var (low, high) = (0, _entries.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if ((nuint)_entries[middle].End <= (nuint)address) low = middle + 1;
            else high = middle;
        }

        return low < _entries.Count && _entries[low].Contains(address) ? _entries[low] : null;
    }

    /// <summary>The mapping of this process that an address lies in, with its sizes; null when nothing is mapped there. It makes no objects
    /// for the others, but the kernel looks at their pages, up to this one.</summary>
    internal static ProcessMapping? FindOwn(nint address)
    {
        var path = PathOf(null, Smaps);
        using var file = Open(path);
        ProcessMapping? found = null;
        while (file.TryReadLine(out var line))
        {
            if (!MapsLine.TryParse(line, out var head)) found?.Sizes!.Take(line);
            else if (found is not null) return found;
            else if (head.Start <= (nuint)address && (nuint)address < head.End) found = new ProcessMapping(head, withSizes: true);
        }

        return file.Failure == 0 ? found : throw Refuse(file.Failure, "read", path);
    }

    /// <summary>Reads a file of the form of maps or smaps.</summary>
    internal static ProcessMaps ReadFile(string path, bool withSizes)
    {
        using var file = Open(path);
        List<ProcessMapping> entries = [];
        while (file.TryReadLine(out var line))
        {
            if (MapsLine.TryParse(line, out var head)) entries.Add(new ProcessMapping(head, withSizes));
            else if (withSizes && entries.Count > 0) entries[^1].Sizes!.Take(line);
        }

        return file.Failure == 0 ? new ProcessMaps(entries) : throw Refuse(file.Failure, "read", path);
    }

    /// <summary>A file of a process in /proc; of this one for null.</summary>
    internal static string PathOf(int? processId, string name)
    {
        if (processId is { } id)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(id, nameof(processId));
            return string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/{name}");
        }

        return $"/proc/self/{name}";
    }

    /// <summary>Opens such a file.</summary>
    internal static KernelFile Open(string path) => KernelFile.TryOpen(path, out var failure) ?? throw Refuse(failure, "open", path);

    /// <summary>The exception for such a file that cannot be opened or read.</summary>
    internal static Exception Refuse(int failure, string operation, string path) => LinuxError.ToException(
        failure, operation, $"\"{path}\"", LinuxError.NameOf(failure) switch
        {
            "ENOENT" or "ESRCH" => "There is no such process, or it has ended: check its id.",
            "EACCES" or "EPERM" => "The process belongs to another user, or may not be looked into: run as that user, or with " +
            "CAP_SYS_PTRACE.",
            _ => null,
        });
}
