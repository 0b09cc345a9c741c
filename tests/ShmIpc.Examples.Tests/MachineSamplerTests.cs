// Whole samples: of the machine the tests run on, and of a made-up /proc.
using ShmIpc.Examples.Messages;
using ShmIpc.Examples.Producer.Proc;
using Xunit;

namespace ShmIpc.Examples.Tests;

public sealed class MachineSamplerTests : IDisposable
{
    private readonly DirectoryInfo _proc = Directory.CreateTempSubdirectory("shmipc-proc-");

    public void Dispose() => _proc.Delete(recursive: true);

    [Fact]
    public void This_machine_can_be_sampled()
    {
        TelemetrySample sample = new MachineSampler(processLimit: 1000).Sample();
        Assert.NotEmpty(sample.Cores);
        Assert.InRange(sample.Memory.AvailableBytes, 1, sample.Memory.TotalBytes);
        Assert.Contains(sample.Processes, p => p.ProcessId == Environment.ProcessId && p.ResidentBytes > 0 && p.Threads > 0);
    }

    [Fact]
    public void A_machine_that_tells_nothing_yields_an_empty_sample()
    {
        TelemetrySample sample = new MachineSampler(10, Path.Combine(_proc.FullName, "missing"), "/missing").Sample();
        Assert.Equal(1, sample.Sequence);
        Assert.Empty(sample.Cores);
        Assert.Empty(sample.Disks);
        Assert.Empty(sample.Networks);
        Assert.Empty(sample.Processes);
        Assert.Equal(default, sample.Memory);
    }

    [Fact]
    public void The_processes_that_were_busiest_since_the_sample_before_come_first()
    {
        var sampler = new MachineSampler(processLimit: 2, _proc.FullName);
        WriteProcess(1, cpuTicks: 1000);
        WriteProcess(2, cpuTicks: 10);
        WriteProcess(3, cpuTicks: 10);
        Assert.Equal([1, 2], sampler.Sample().Processes.Select(p => p.ProcessId));

        WriteProcess(3, cpuTicks: 20);
        Directory.CreateDirectory(Path.Combine(_proc.FullName, "4")); // one that has just ended
        Directory.CreateDirectory(Path.Combine(_proc.FullName, "5x"));
        TelemetrySample second = sampler.Sample();
        Assert.Equal([3, 1], second.Processes.Select(p => p.ProcessId));
        Assert.Equal(2, second.Sequence);
    }

    [Fact]
    public void A_file_longer_than_the_buffer_is_read_whole()
    {
        IEnumerable<string> lines = Enumerable.Range(0, 4000).Select(i => $"cpu{i} {i} 0 0 0 0 0 0 0");
        File.WriteAllText(Path.Combine(_proc.FullName, "stat"), string.Join('\n', lines));
        Assert.Equal(Enumerable.Range(0, 4000), new MachineSampler(1, _proc.FullName).Sample().Cores.Select(c => (int)c.BusyTicks));
    }

    private void WriteProcess(int id, long cpuTicks)
    {
        string directory = Directory.CreateDirectory(Path.Combine(_proc.FullName, $"{id}")).FullName;
        File.WriteAllText(Path.Combine(directory, "stat"), $"{id} (p{id}) S 0 1 1 0 -1 0 0 0 0 0 {cpuTicks} 0 0 0 20 0 1 0 9 0 5\n");
    }
}
