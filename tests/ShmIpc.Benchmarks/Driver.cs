// Runs scenarios: within each, all contenders take turns, repetition by repetition (A B C A B C ...), one at a time, and while they
// run this process sleeps. So do the scenarios of one plot that stand next to each other: a machine that gets slower or faster must
// not show as a trend in it. A contender that fails is reported and left out; the rest go on.

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
        while (results.Count < scenarios.Count)
        {
            string? plot = scenarios[results.Count].Point?.Plot;
            Scenario[] together =
                plot is null ? [scenarios[results.Count]] : [.. scenarios.Skip(results.Count).TakeWhile(s => s.Point?.Plot == plot)];
            schedule.Begin(results.Count, together.Length);
            Run[] runs = [.. together.Select((scenario, i) => Begin(scenario, $"[{results.Count + i + 1}/{scenarios.Count}]"))];
            await RepeatAsync(runs, schedule, cancellation);
            results.AddRange(runs.Select(run => run.Result));
        }

        return results;
    }

    private Run Begin(Scenario scenario, string place)
    {
        log($"{place} {scenario.Name}: {string.Join("; ", scenario.Contenders.Select(c => c.Name))}");
        Run run = new(plan with { Measure = plan.Measure * scenario.MeasureFactor }, new ScenarioResult(scenario), []);
        foreach (Contender contender in scenario.Contenders)
        {
            if (contender.Unavailable(run.Plan) is { } reason)
            {
                run.Result.GiveUp(contender, reason);
            }
            else
            {
                run.Running.Add(contender);
            }
        }

        return run;
    }

    private async Task RepeatAsync(Run[] runs, Schedule schedule, CancellationToken cancellation)
    {
        int repetitions = runs.Max(run => run.Repetitions);
        for (int repetition = 0; repetition < repetitions; repetition++)
        {
            if (!schedule.HasTimeFor(repetition))
            {
                log($"  out of time after {repetition} of {repetitions} repetitions");
                break;
            }

            foreach (Run run in runs.Where(run => repetition < run.Repetitions))
            {
                await RepeatAsync(run, repetition, schedule, cancellation);
            }
        }
    }

    private async Task RepeatAsync(Run run, int repetition, Schedule schedule, CancellationToken cancellation)
    {
        foreach (Contender contender in run.Running.ToArray())
        {
            if (schedule.IsOver)
            {
                if (repetition == 0)
                {
                    log($"  {contender.Name}: {OutOfTime}");
                    run.Result.GiveUp(contender, OutOfTime);
                }

                continue;
            }

            try
            {
                run.Result.Add(contender, await ObserveAsync(contender, run.Plan, cancellation));
            }
            catch (Exception e) when (!cancellation.IsCancellationRequested)
            {
                string reason = e is OperationCanceledException ? $"nothing within {run.Plan.Timeout.TotalSeconds:0} s" : e.Message;
                log($"  {contender.Name} failed: {reason}");
                run.Result.GiveUp(contender, "failed");
                run.Running.Remove(contender);
                AnyFailed = true;
            }
        }
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

    // One scenario on its way: what it is measured by, what came of it so far, and who is still in.
    private sealed record Run(Plan Plan, ScenarioResult Result, List<Contender> Running)
    {
        public int Repetitions { get; } = Math.Min(Plan.Repetitions, Result.Scenario.MostRepetitions(Plan));
    }
}
