// The shared regions of this process by name: those that it made, which go to workers that it starts, and those that it was started with,
// which are mapped when somebody asks. A forked worker has its parent's table, and the memory at the same place.

using Microsoft.Win32.SafeHandles;

namespace ShmIpc.Workers;

internal static class SharedRegionTable
{
    private static readonly Dictionary<string, SharedRegion> _regions = []; // also the lock
    private static readonly Dictionary<string, SafeFileHandle> _given = [];
    private static string[] _unreachable = [];

    public static void Add(SharedRegion region)
    {
        lock (_regions)
        {
            if (_regions.ContainsKey(region.Name))
            {
                throw new ShmRegionExistsException(
                    $"This process has a shared region {region.Name} already. Choose another name, or dispose that one first.");
            }

            int own = _regions.Values.Count(other => other.IsOwn);
            if (own >= SharedRegion.MaxPerProcess)
            {
                throw new ShmLimitException(
                    $"The shared region {region.Name} would be one too many: this process has {own}, and every worker gets all of them. "
                    + "Make one larger region in place of several, and give each user a part of it; or dispose those that are not needed.");
            }

            _regions.Add(region.Name, region);
        }
    }

    public static void Remove(SharedRegion region)
    {
        lock (_regions)
        {
            if (_regions.GetValueOrDefault(region.Name) == region)
            {
                _ = _regions.Remove(region.Name);
            }
        }
    }

    public static SharedRegion Find(string name)
    {
        lock (_regions)
        {
            if (_regions.TryGetValue(name, out SharedRegion? region))
            {
                return region;
            }

            if (_given.TryGetValue(name, out SafeFileHandle? memory))
            {
                region = _regions[name] = SharedRegion.FromParent(name, memory);
                _ = _given.Remove(name); // not when there was no room for it: then the next call tries again
                return region;
            }
        }

        throw new ShmRegionNotFoundException(_unreachable.Contains(name)
            ? $"The shared region {name} is anonymous memory, which only forked processes share, and this worker was not forked from the "
                + "process that made it. Use SharedRegion.Create, or StartMode = Fork."
            : $"There is no shared region {name} here. The process that starts the workers makes it before it starts them, and keeps it.");
    }

    /// <summary>The regions that a worker that is started now is to have.</summary>
    public static IReadOnlyList<SharedRegion> ToPass()
    {
        lock (_regions)
        {
            return [.. _regions.Values.Where(region => region.IsOwn)];
        }
    }

    /// <summary>In a worker: what its launch brought.</summary>
    public static void Accept(IEnumerable<(string Name, SafeFileHandle Memory)> given, string[] unreachable)
    {
        lock (_regions)
        {
            foreach ((string name, SafeFileHandle memory) in given)
            {
                _given[name] = memory;
            }

            _unreachable = [.. unreachable.Where(name => !_regions.ContainsKey(name))]; // a forked worker has them
        }
    }
}
