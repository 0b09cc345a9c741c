// A control group (a container, a service) that may have less memory than a channel wants: a refusal, and not the kernel's killer.

using System.Globalization;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Faults;

public sealed class ControlGroupTests
{
    private const long Lane = 64 << 20;

    [Fact]
    public void A_lane_that_the_control_group_has_no_memory_for_is_refused()
    {
        long free = new DriveInfo(ScratchRoot.Memory).AvailableFreeSpace;
        Assert.SkipUnless(free > 2 * Lane, $"{ScratchRoot.Memory} has {free} bytes free, and a lane of {Lane} is to fit.");
        using ScratchRoot root = new();
        using Party party = new();
        using Group group = new();
        group.Add(party.Process.Id);
        group.Limit(Lane / 2);
        party.Do($"create-large {root.Path} x {Lane}");
        party.IsRefused<ShmNoSpaceException>("produce", "bytes of memory were asked for", "control group", "memory.max", "Ask for less");
        Assert.Equal("0 0", party.Do("counts"));
        Assert.False(party.Process.HasExited);

        group.Limit(4 * Lane);
        party.Do("produce");
        party.Do("consume");
        party.Do("write 1 0 20");
        party.Do("read 1 0 20");
        Assert.Equal("yes", party.Do($"delete {root.Path} x"));
        EnvironmentRows.Shown(
            80, "the control group (container) has less memory than asked for",
            "`ShmNoSpaceException` that names the limit, instead of the kernel's OOM killer");
    }

    /// <summary>A group below this process's own, where the kernel lets it make one.</summary>
    private sealed class Group : IDisposable
    {
        private readonly string _path;
        private readonly string _limit;

        public Group()
        {
            string[][] lines = [.. File.ReadAllLines("/proc/self/cgroup").Select(line => line.Split(':', 3))];
            string[]? first = lines.FirstOrDefault(line => line[1].Split(',').Contains("memory"));
            (string mount, string own, _limit) = first is not null
                ? ("/sys/fs/cgroup/memory", first[2], "memory.limit_in_bytes")
                : ("/sys/fs/cgroup", lines.FirstOrDefault(line => line[1].Length == 0)?[2] ?? "/", "memory.max");
            string parent = Directory.Exists(mount + own) ? mount + own.TrimEnd('/') : mount;
            _path = $"{parent}/{ScratchRoot.Prefix}group";
            try
            {
                Directory.CreateDirectory(_path);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                Assert.Skip($"No control group can be made in {parent}: {error.Message}");
            }

            if (!File.Exists($"{_path}/{_limit}"))
            {
                Dispose();
                Assert.Skip($"{parent} lets its groups have no limits of memory (version 2 with processes of its own).");
            }
        }

        public void Add(int processId) => Write("cgroup.procs", processId);

        public void Limit(long bytes) => Write(_limit, bytes);

        public void Dispose() => Eventually.True(TryRemove, "the control group goes away");

        private void Write(string file, long value)
        {
            try
            {
                File.WriteAllText($"{_path}/{file}", value.ToString(CultureInfo.InvariantCulture));
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                Dispose();
                Assert.Skip($"{_path}/{file} cannot be written: {error.Message}");
            }
        }

        // Its processes go back first, and one that was killed stays a moment.
        private bool TryRemove()
        {
            if (!Directory.Exists(_path))
            {
                return true;
            }

            try
            {
                foreach (string process in File.ReadAllLines($"{_path}/cgroup.procs"))
                {
                    File.WriteAllText(Path.GetDirectoryName(_path) + "/cgroup.procs", process);
                }

                Directory.Delete(_path);
                return true;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }
    }
}
