// A control group with a limit of memory, for processes of a test. Skipped where the kernel lets this process make none.

using System.Globalization;

namespace ShmIpc.ProcessTests.Harness;

/// <summary>A group below this process's own, where the kernel lets it make one.</summary>
internal sealed class ControlGroup : IDisposable
{
    private readonly string _path;
    private readonly string _limit;

    public ControlGroup()
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
