// Two .NET processes, this program itself as `child`: one measures, the other serves it until it is told to stop.

using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Pairs;

namespace ShmIpc.Benchmarks.Contenders;

internal sealed class ManagedPair(string name, ChildSettings measuring) : Contender(name)
{
    public override async Task<Observation> ObserveAsync(Plan plan, string directory, CancellationToken cancellation)
    {
        ChildSettings first = measuring with
        {
            Directory = directory,
            WarmUp = plan.WarmUp,
            Measure = plan.Measure,
            Cpu = plan.Cpus.First,
        };
        ChildSettings second = first with { Role = measuring.Role == Role.Ping ? Role.Echo : Role.Sender, Cpu = plan.Cpus.Second };
        using ChildProcess server = Start(second);
        using ChildProcess measurer = Start(first);
        Task<string> measured = measurer.ReadLineAsync(cancellation);
        Task<string> served = server.ReadLineAsync(cancellation);
        if (await Task.WhenAny(measured, served) == served)
        {
            await served; // fails at once, rather than after the timeout, when the server is what went wrong
        }

        Sample measuredSample = Sample.Parse(await measured);
        server.RequestStop();
        Sample servedSample = Sample.Parse(await served);
        await measurer.WaitForExitAsync(cancellation);
        await server.WaitForExitAsync(cancellation);
        return new Observation(measuredSample, servedSample);
    }

    /// <summary>Starts one child.</summary>
    public static ChildProcess Start(ChildSettings settings) => ChildProcess.OfThisProgram(ChildProgram.Verb, settings.ToArgument());
}
