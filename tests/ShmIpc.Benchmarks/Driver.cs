// Runs scenarios: within each, all contenders take turns, repetition by repetition (A B C A B C ...), one at a time, and while they
// run this process sleeps. A contender that fails is reported and left out; the rest go on.

using ShmIpc.Benchmarks.Contenders;
using ShmIpc.Benchmarks.Scenarios;

namespace ShmIpc.Benchmarks;

internal sealed class Driver(Plan plan, ScratchRoot scratch, Action<string> log)
{
    private const string OutOfTime = "out of time";

    public bool AnyFailed { get; private set; }

    public async Task<IReadOnlyList<ScenarioResult>> RunAsync(IReadOnlyList<Scenario> scenarios, CancellationToken cancellation)
    {
        List<ScenarioResult> results = [];
        Schedule schedule = new(plan, scenarios);
        foreach (Scenario scenario in scenarios)
        {
            log($"[{results.Count + 1}/{scenarios.Count}] {scenario.Name}: {string.Join("; ", scenario.Contenders.Select(c => c.Name))}");
            schedule.Begin(results.Count);
            results.Add(await RunAsync(scenario, schedule, cancellation));
        }

        return results;
    }

    private async Task<ScenarioResult> RunAsync(Scenario scenario, Schedule schedule, CancellationToken cancellation)
    {
        ScenarioResult result = new(scenario);
        Plan own = plan with { Measure = plan.Measure * scenario.MeasureFactor };
        List<Contender> running = [];
        foreach (Contender contender in scenario.Contenders)
        {
            if (contender.Unavailable(own) is { } reason)
            {
                result.GiveUp(contender, reason);
            }
            else
            {
                running.Add(contender);
            }
        }

        for (int repetition = 0; repetition < Math.Min(own.Repetitions, scenario.MostRepetitions(own)); repetition++)
        {
            if (!schedule.HasTimeFor(repetition))
            {
                log($"  out of time after {repetition} of {own.Repetitions} repetitions");
                break;
            }

            foreach (Contender contender in running.ToArray())
            {
                if (schedule.IsOver)
                {
                    if (repetition == 0)
                    {
                        log($"  {contender.Name}: {OutOfTime}");
                        result.GiveUp(contender, OutOfTime);
                    }

                    continue;
                }

                try
                {
                    result.Add(contender, await ObserveAsync(contender, own, cancellation));
                }
                catch (Exception e) when (!cancellation.IsCancellationRequested)
                {
                    string reason = e is OperationCanceledException ? $"nothing within {own.Timeout.TotalSeconds:0} s" : e.Message;
                    log($"  {contender.Name} failed: {reason}");
                    result.GiveUp(contender, "failed");
                    running.Remove(contender);
                    AnyFailed = true;
                }
            }
        }

        return result;
    }

    private async Task<Observation> ObserveAsync(Contender contender, Plan own, CancellationToken cancellation)
    {
        using CancellationTokenSource timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(own.Timeout);
        string directory = scratch.CreateDirectory();
        try
        {
            return await contender.ObserveAsync(own, directory, timeout.Token);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
