// What every page of a mapping may be used for, as last set by Protect: a sorted list of runs. It knows nothing of the kernel and takes
// no lock: its mapping does both.

namespace ShmIpc.Memory;

internal sealed class PageAccess(long lengthBytes, MemoryAccess access)
{
    // Runs in order without a gap; each reaches to where the next begins, the last to the end. No two neighbours are equal.
    private readonly List<(long Start, MemoryAccess Access)> _runs = [(0, access)];

    /// <summary>The runs that lie in a range, cut to it.</summary>
    public IEnumerable<(long Start, long End, MemoryAccess Access)> In(long start, long end)
    {
        for (var i = 0; i < _runs.Count; i++)
        {
            var runEnd = i + 1 < _runs.Count ? _runs[i + 1].Start : lengthBytes;
            var (from, to) = (Math.Max(start, _runs[i].Start), Math.Min(end, runEnd));
            if (from < to) yield return (from, to, _runs[i].Access);
        }
    }

    public void Set(long start, long end, MemoryAccess access)
    {
        (long Start, long End, MemoryAccess Access)[] all = [.. In(0, start), (start, end, access), .. In(end, lengthBytes)];
        _runs.Clear();
        foreach (var run in all)
        {
            if (_runs.Count == 0 || _runs[^1].Access != run.Access) _runs.Add((run.Start, run.Access));
        }
    }
}
