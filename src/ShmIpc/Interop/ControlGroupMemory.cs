// How much memory the control group of this process (a container, a service with MemoryMax=) lets it have. Pages of a tmpfs are charged to
// whoever touches them first, and beyond the limit the kernel kills: so it is asked before memory is taken. Both versions of control
// groups; what cannot be read counts as no limit.

using System.Globalization;

namespace ShmIpc.Interop;

internal static class ControlGroupMemory
{
    private static readonly (long LimitBytes, long AvailableBytes) _noLimit = (long.MaxValue, long.MaxValue);

    /// <summary>Bytes left below the limits of the group and of those that it is in; <see cref="long.MaxValue"/> for no limit.</summary>
    /// <param name="freeSwapBytes">What of the machine's swap is free: a group may be swapped out, too.</param>
    /// <param name="root">The root of the file system; another one for tests.</param>
    public static long AvailableBytes(long freeSwapBytes, string root = "/") => Tightest(freeSwapBytes, root).AvailableBytes;

    /// <summary>The limit of the group, among that of this process and those that it is in, that leaves least, and what it leaves; twice
    /// <see cref="long.MaxValue"/> for no limit.</summary>
    /// <inheritdoc cref="AvailableBytes"/>
    public static (long LimitBytes, long AvailableBytes) Tightest(long freeSwapBytes, string root = "/")
    {
        var tightest = _noLimit;
        foreach (var line in Read(Path.Combine(root, "proc/self/cgroup")).Split('\n'))
        {
            // "4:memory:/a/b" in version 1, "0::/a/b" in version 2
            if (line.Split(':', 3) is not [_, var controllers, var group]) continue;
            var isFirst = controllers.Split(',').Contains("memory");
            if (!isFirst && controllers.Length > 0) continue;
            var mount = Path.Combine(root, isFirst ? "sys/fs/cgroup/memory" : "sys/fs/cgroup");

            // In a container the path may be the host's, of which only the mount itself is seen, which is the container's own group.
            for (; group.Length > 0; group = group[..group.LastIndexOf('/')])
            {
                Compare(Room(mount + group.TrimEnd('/'), isFirst, freeSwapBytes));
            }

            Compare(Room(mount, isFirst, freeSwapBytes));
        }

        return tightest;

        void Compare((long LimitBytes, long AvailableBytes) room)
        {
            if (room.AvailableBytes < tightest.AvailableBytes) tightest = room;
        }
    }

    private static (long LimitBytes, long AvailableBytes) Room(string group, bool isFirst, long freeSwapBytes)
    {
        var limit = Number(Read($"{group}/{(isFirst ? "memory.limit_in_bytes" : "memory.max")}"));
        var used = Number(Read($"{group}/{(isFirst ? "memory.usage_in_bytes" : "memory.current")}"));
        if (limit == long.MaxValue || used == long.MaxValue) return _noLimit;
        var swap = freeSwapBytes;
        if (!isFirst && Number(Read($"{group}/memory.swap.max")) is var most && most != long.MaxValue)
        {
            swap = Math.Clamp(most - Number(Read($"{group}/memory.swap.current")), 0, freeSwapBytes);
        }

        // What is only a cache, of files or of names, is given up for those who need memory.
        var prefix = isFirst ? "total_" : "";
        string[] caches = [$"{prefix}active_file", $"{prefix}inactive_file", "slab_reclaimable"];
        var cached = Read($"{group}/memory.stat").Split('\n').Select(line => line.Split(' '))
            .Where(field => field.Length == 2 && caches.Contains(field[0])).Sum(field => Number(field[1]));
        return (limit, Math.Max(0, limit - used + Math.Clamp(cached, 0, used) + swap));
    }

    /// <summary>The number; <see cref="long.MaxValue"/> for "max", for nothing, and for the numbers that stand for no limit.</summary>
    private static long Number(string text) =>
        long.TryParse(text, NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var number) && number is >= 0 and < 1L << 60
            ? number
            : long.MaxValue;

    private static string Read(string path) => KernelFile.Text(path) ?? "";
}
