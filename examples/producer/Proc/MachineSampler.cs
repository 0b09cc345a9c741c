// Reads the counters of this machine from /proc. It allocates the messages and little else: at one sample a second nobody would notice,
// but the interval is the user's choice.
using System.Diagnostics;
using System.Globalization;
using ShmIpc.Examples.Messages;

namespace ShmIpc.Examples.Producer.Proc;

/// <summary>Takes samples of this machine; not thread-safe.</summary>
/// <param name="processLimit">The most processes in a sample.</param>
/// <param name="procPath">Where the kernel's files are; tests have their own.</param>
/// <param name="blockPath">Where the kernel describes the block devices.</param>
internal sealed class MachineSampler(int processLimit, string procPath = "/proc", string blockPath = "/sys/block")
{
    private readonly long _run = Random.Shared.NextInt64(1, long.MaxValue);
    private readonly ProcFile _file = new();
    private readonly bool _knowsDisks = Directory.Exists(blockPath);
    private Dictionary<(int, long), long> _cpuTicksBefore = [];
    private long _sequence;

    /// <summary>The counters now.</summary>
    public TelemetrySample Sample()
    {
        long timestamp = Stopwatch.GetTimestamp();
        return new TelemetrySample
        {
            Run = _run,
            Sequence = ++_sequence,
            UnixMilliseconds = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
            SampledTimestamp = timestamp,
            Cores = CoreParser.Parse(Read("stat")),
            Memory = MemoryParser.Parse(Read("meminfo")),
            Disks = DiskParser.Parse(Read("diskstats"), IsDisk),
            Networks = NetworkParser.Parse(Read("net/dev")),
            Processes = BusiestProcesses(),
        };
    }

    private ReadOnlySpan<byte> Read(string name) => _file.Read(Path.Combine(procPath, name));

    // Real disks have a device behind them; partitions, loop devices and device-mapper volumes have not.
    private bool IsDisk(string name) => !_knowsDisks || Path.Exists(Path.Combine(blockPath, name.Replace('/', '!'), "device"));

    private ProcessCounters[] BusiestProcesses()
    {
        var processes = new List<(long Used, ProcessCounters Counters)>();
        var cpuTicks = new Dictionary<(int, long), long>(_cpuTicksBefore.Count);
        foreach (int processId in ProcessIds())
        {
            ReadOnlySpan<byte> text = _file.Read(Path.Combine(procPath, processId.ToString(CultureInfo.InvariantCulture), "stat"));
            if (!ProcessParser.TryParse(text, Environment.SystemPageSize, out ProcessCounters process))
                continue;
            (int, long) key = (process.ProcessId, process.StartTicks);
            cpuTicks[key] = process.CpuTicks;
            processes.Add((process.CpuTicks - _cpuTicksBefore.GetValueOrDefault(key), process));
        }
        _cpuTicksBefore = cpuTicks;
        return [.. processes.OrderByDescending(p => p.Used).ThenByDescending(p => p.Counters.CpuTicks).ThenBy(p => p.Counters.ProcessId)
            .Take(processLimit).Select(p => p.Counters)];
    }

    private List<int> ProcessIds()
    {
        var ids = new List<int>();
        try
        {
            foreach (string directory in Directory.EnumerateDirectories(procPath))
            {
                if (int.TryParse(Path.GetFileName(directory.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out int id))
                    ids.Add(id);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
        return ids;
    }
}
