// One .NET process, this program itself as `child`, that does everything and ends by itself.

using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Pairs;

namespace ShmIpc.Benchmarks.Contenders;

internal sealed class ManagedAlone(string name, ChildSettings settings) : Contender(name)
{
    public override async Task<Observation> ObserveAsync(Plan plan, string directory, CancellationToken cancellation)
    {
        using ChildProcess process = ManagedPair.Start(settings with
        {
            Directory = directory,
            WarmUp = plan.WarmUp,
            Measure = plan.Measure,
            Cpu = plan.Cpus.First,
            OtherCpu = plan.Cpus.Second,
        });
        string line = await process.ReadLineAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        return new Observation(Sample.Parse(line), null);
    }
}
