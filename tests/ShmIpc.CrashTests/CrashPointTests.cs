// kill -9 before every step of every operation that others can notice, each in a process of its own, and what is found afterwards: one of
// the outcomes that the operation lists, in their order. docs/failure-model.md shows the same table.

using System.Collections.Concurrent;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.CrashTests;

public sealed class CrashPointTests(ITestOutputHelper output)
{
    private static readonly ParallelOptions _parallel = new() { MaxDegreeOfParallelism = 3 };
    private readonly ITestOutputHelper _output = output;

    public static TheoryData<string> Operations => [.. Operation.Names];

    [Theory]
    [MemberData(nameof(Operations))]
    public void A_death_at_any_step_leaves_what_is_allowed(string operation)
    {
        Finding whole = Kill(operation, 0);
        int steps = Operation.Named(operation).MostSteps ?? whole.Steps;
        Assert.True(steps > 0, "The operation has no step at which a death could matter.");
        ConcurrentBag<Finding> found = [];
        Parallel.ForEach(Operation.Named(operation).Choose(steps), _parallel, step => found.Add(Kill(operation, step)));
        Finding[] findings = [.. found.OrderBy(finding => finding.Step), whole with { Step = steps + 1, Place = "its end" }];
        Matrix matrix = new(Operation.Named(operation), findings);
        foreach (Finding finding in findings)
        {
            _output.WriteLine($"{finding.Step,3} before {finding.Place}: {finding.Outcome}");
        }

        matrix.Check();
        matrix.Record();
        matrix.CompareWithDocument();
    }

    /// <summary>One victim, dead before a step; 0 for its end.</summary>
    private static Finding Kill(string name, int step)
    {
        using ScratchRoot root = new(Operation.Named(name).IsOnDisk ? ScratchRoot.Disk : ScratchRoot.Memory);
        try
        {
            Finding finding = Kill(name, step, root.Path);
            CheckDescriptors(root.Path);
            return finding;
        }
        catch (Exception error) when (error is not Xunit.Sdk.IAssertionException)
        {
            throw new InvalidOperationException($"{name}, dead before step {step}: {error.Message}", error);
        }
    }

    private static Finding Kill(string name, int step, string root)
    {
        using Operation operation = Operation.Named(name);
        using ChildProcess victim = ChildProcess.Start("victim");
        operation.SetStage(root);
        Precede(operation, root);
        victim.Expect("ready");
        victim.Send($"prepare {name} {root}");
        victim.Expect("prepared");
        operation.Ready();
        victim.Send($"act {step}");
        string[] words = step == 0 ? victim.Expect("survived") : victim.Expect("died");
        Assert.Equal(128 + Linux.SIGKILL, victim.WaitForExit());
        return new Finding(step, string.Join(' ', words), operation.Observe());
    }

    /// <summary>Somebody who is dead before the victim comes.</summary>
    private static void Precede(Operation operation, string root)
    {
        if (operation.Predecessor is { } lastWord)
        {
            using ChildProcess predecessor = ChildProcess.StartReady("predecessor");
            predecessor.Send($"precede {operation.GetType().Name} {root}");
            predecessor.Expect(lastWord);
            Assert.Equal(128 + Linux.SIGKILL, predecessor.WaitForExit());
        }
    }

    /// <summary>Nobody's death leaves a file open here.</summary>
    private static void CheckDescriptors(string root)
    {
        string[] open = [.. Directory.GetFileSystemEntries("/proc/self/fd").Select(link => new FileInfo(link).LinkTarget ?? "")
            .Where(target => target.StartsWith(root, StringComparison.Ordinal))];
        Assert.Empty(open);
    }
}
