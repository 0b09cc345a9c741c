// How long a producer stays blocked when the consumer that has no room for it is killed: from the signal to the return of its Write. The
// kernel's part, which frees the dead process's memory before it lets its lock go, is in it.

using System.Diagnostics;
using System.Globalization;
using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Scenarios;
using ShmIpc.Benchmarks.Topology;

namespace ShmIpc.Benchmarks.Contenders;

internal sealed class KilledConsumer(string name) : Contender(name)
{
    private const int Kills = 10;
    private const int KillsWhenQuick = 3;
    private const int LaneCapacityBytes = 64 * 1024;

    public override async Task<Observation> ObserveAsync(Plan plan, string directory, CancellationToken cancellation)
    {
        int kills = plan.Quick ? KillsWhenQuick : Kills;
        List<double> times = [];
        using ChildProcess producer = Start(Part.BeBlocked, plan.Cpus.First);
        while (times.Count < kills)
        {
            using ChildProcess victim = Start(Part.Hold, plan.Cpus.Second);
            string line = await producer.ReadLineAsync(cancellation);
            if (line != BlockedProducer.BlockedLine)
            {
                throw new InvalidDataException($"The producer says \"{line}\" before it is blocked.");
            }

            await Task.Delay(Random.Shared.Next(20, 80), cancellation); // asleep by now, at any instant between two looks
            long killed = Stopwatch.GetTimestamp();
            victim.Kill();
            long back = long.Parse(await producer.ReadLineAsync(cancellation), CultureInfo.InvariantCulture);
            times.Add(Measurement.Nanoseconds(back - killed));
        }

        producer.RequestStop();
        _ = await producer.ReadLineAsync(cancellation);
        await producer.WaitForExitAsync(cancellation);
        Spread spread = Spread.Of(times);
        return new Observation(new Sample { Operations = kills, Samples = kills, P50Ns = spread.Median, MaxNs = spread.Max }, null);

        ChildProcess Start(Part part, int cpu) => ChildProcess.OfThisProgram(PartProgram.Verb, new PartSettings
        {
            Part = part,
            Directory = directory,
            Cpu = cpu,
            LaneCapacityBytes = LaneCapacityBytes,
        }.ToArgument());
    }
}
