// Any number of .NET processes, this program itself as `part`: one measures, the others serve it. The one that measures, if it is to be
// alone, has the first processor; all others share the second.

using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Topology;

namespace ShmIpc.Benchmarks.Contenders;

internal sealed class ManagedGroup(string name, PartSettings measuring, params PartSettings[] serving) : Contender(name)
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>True: the channel lies on a disk.</summary>
    public bool IsOnDisk { get; init; }

    public override string? Unavailable(Plan plan) =>
        IsOnDisk && plan.DiskDirectory is { } disk && new DriveInfo(disk).DriveFormat is "tmpfs" or "ramfs" or "overlay" or "overlayfs"
            ? "the output directory is not on a disk"
            : null;

    public override async Task<Observation> ObserveAsync(Plan plan, string directory, CancellationToken cancellation)
    {
        if (!IsOnDisk)
        {
            return await RunAsync(plan, directory, cancellation);
        }

        string onDisk = Path.Combine(plan.DiskDirectory!, Path.GetRandomFileName());
        Directory.CreateDirectory(onDisk, Private);
        try
        {
            return await RunAsync(plan, onDisk, cancellation);
        }
        finally
        {
            Directory.Delete(onDisk, recursive: true);
        }
    }

    private async Task<Observation> RunAsync(Plan plan, string directory, CancellationToken cancellation)
    {
        List<ChildProcess> children = [];
        try
        {
            children.AddRange(serving.Append(measuring).Select(part => Start(part, plan, directory)));
            Task<string>[] lines = [.. children.Select(child => child.ReadLineAsync(cancellation))];
            string measured = await FirstFailureOrAsync(lines[^1], lines);
            children.ForEach(child => child.RequestStop());
            Sample[] served = [.. (await Task.WhenAll(lines[..^1])).Select(Sample.Parse)];
            foreach (ChildProcess child in children)
            {
                await child.WaitForExitAsync(cancellation);
            }

            Sample sample = Sample.Parse(measured);
            Check(sample, served);
            return new Observation(sample, null);
        }
        finally
        {
            children.ForEach(child => child.Dispose());
        }
    }

    // Fails at once, rather than after the timeout, when one of the others is what went wrong.
    private static async Task<string> FirstFailureOrAsync(Task<string> wanted, Task<string>[] all)
    {
        List<Task<string>> pending = [.. all];
        while (!wanted.IsCompleted)
        {
            Task<string> done = await Task.WhenAny(pending);
            await done;
            pending.Remove(done);
        }

        return await wanted;
    }

    // Every group got everything: each subscriber of its own, or all members of the shared group together.
    private void Check(Sample published, Sample[] served)
    {
        if (serving.Length == 0 || serving[0].Part is not (Part.Subscribe or Part.ReadGroups))
        {
            return;
        }

        ulong together = served.Aggregate(0UL, (sum, sample) => unchecked(sum + sample.Checksum));
        bool isRight = serving[0].SharedGroup is null
            ? served.All(sample => sample.Checksum == published.Checksum)
            : together == published.Checksum;
        if (!isRight)
        {
            throw new InvalidDataException("The subscribers did not get what was published.");
        }
    }

    private static ChildProcess Start(PartSettings part, Plan plan, string directory)
    {
        PartSettings settings = part with
        {
            Directory = directory,
            WarmUp = plan.WarmUp,
            Measure = plan.Measure,
            Cpu = part.IsAlone ? plan.Cpus.First : plan.Cpus.Second,
        };
        return ChildProcess.OfThisProgram(PartProgram.Verb, settings.ToArgument());
    }
}
