// What the deaths in one operation left: checked against what is allowed, and a row of the two tables in docs/failure-model.md.

using System.Collections.Concurrent;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.CrashTests;

internal sealed class Matrix(Operation operation, IReadOnlyList<Finding> findings)
{
    private const string Update = "Run ./test.sh --filter CrashPoint, then docs/update.sh, and read what changed.";
    private static readonly ConcurrentDictionary<string, Matrix> _all = new();
    private readonly Operation _operation = operation;
    private readonly IReadOnlyList<Finding> _findings = findings;

    /// <summary>What others find, after a death before which steps.</summary>
    private string Row
    {
        get
        {
            List<string> ranges = [];
            foreach (IGrouping<string, Finding> outcome in _findings.GroupBy(finding => finding.Outcome))
            {
                (int first, int last) = (outcome.First().Step, outcome.Last().Step);
                string steps = first == last ? $"{first}" : $"{first}–{last}";
                string behind = first == 1 ? "" : $", behind `{_findings.Last(finding => finding.Step < first).Place}`";
                ranges.Add($"**{steps}**{behind}: {outcome.Key}");
            }

            return $"| {_operation.Role} | {_operation.What} | {string.Join("<br>", ranges)} |";
        }
    }

    private string Steps
    {
        get
        {
            if (_operation.IsOnEveryThread)
            {
                return $"| {_operation.Role}: {_operation.What} | the first {_findings.Count - 1} of several threads, in any order |";
            }

            int last = 0;
            List<string> steps = [];
            foreach (Finding finding in _findings)
            {
                string gap = finding.Step == last + 1 ? "" : "… ";
                bool isEnd = finding.Step > 1 && finding == _findings[^1];
                steps.Add($"{gap}{finding.Step} {(isEnd ? "(its end)" : $"`{finding.Place}`")}");
                last = finding.Step;
            }

            return $"| {_operation.Role}: {_operation.What} | {string.Join(" ", steps)} |";
        }
    }

    /// <summary>Every outcome is one of those allowed, none comes back after a later one, and each is found.</summary>
    public void Check()
    {
        int last = 0;
        foreach (Finding finding in _findings)
        {
            int outcome = Array.IndexOf(_operation.Outcomes, finding.Outcome);
            Assert.True(outcome >= 0, $"Dead before step {finding.Step}, {finding.Place}: \"{finding.Outcome}\" is not allowed.");
            Assert.True(outcome >= last, $"Dead before step {finding.Step}, {finding.Place}: \"{finding.Outcome}\" came after "
                + $"\"{_operation.Outcomes[last]}\".");
            last = outcome;
        }

        Assert.Equal(_operation.Outcomes, _findings.Select(finding => finding.Outcome).Distinct());
    }

    /// <summary>Keeps the row for the document; writes all of them once the last is there.</summary>
    public void Record()
    {
        _all[_operation.GetType().Name] = this;
        if (_all.Count == Operation.Names.Count())
        {
            Matrix[] all = [.. _all.Values.OrderBy(matrix => matrix._operation.Role, StringComparer.Ordinal)
                .ThenBy(matrix => matrix._operation.What, StringComparer.Ordinal)];
            int deaths = all.Sum(matrix => matrix._findings.Count);
            Fragment.Write("crash-points", $"""
                {deaths} deaths in {all.Length} operations. A number is the step before which the process died; the last is behind all of
                them.

                | who | does what | what the others find |
                |---|---|---|
                {string.Join('\n', all.Select(matrix => matrix.Row))}

                <details><summary>The steps</summary>

                | operation | its steps, each a store that others may see or a system call |
                |---|---|
                {string.Join('\n', all.Select(matrix => matrix.Steps))}

                </details>
                """);
        }
    }

    /// <summary>The document shows this row.</summary>
    public void CompareWithDocument()
    {
        string[] lines = File.ReadAllLines(Path.Combine(Fragment.Repository, "docs", "failure-model.md"));
        Assert.True(lines.Contains(Row), $"docs/failure-model.md does not have the line\n{Row}\n{Update}");
        Assert.True(lines.Contains(Steps), $"docs/failure-model.md does not have the line\n{Steps}\n{Update}");
    }
}
