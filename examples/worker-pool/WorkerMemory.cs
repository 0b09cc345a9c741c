// What the workers of a pool take of the machine's memory, as the kernel counts it.
using System.Globalization;
using ShmIpc.Examples.Terminal;
using ShmIpc.Workers;

namespace ShmIpc.Examples.Pool;

/// <param name="PssBytes">A worker's own pages and its share of those that others map too; the mean of all workers.</param>
/// <param name="PrivateBytes">Pages that nobody else maps; also those of a mapped file that only this worker has touched.</param>
/// <param name="OwnBytes">Pages that are not a file's: what the worker takes besides the page cache.</param>
internal sealed record WorkerMemory(long PssBytes, long PrivateBytes, long OwnBytes)
{
    /// <summary>The mean of the workers that have answered more jobs than in <paramref name="before"/>.</summary>
    public static WorkerMemory Of(WorkerPool pool, IReadOnlyList<WorkerStatus>? before = null)
    {
        List<WorkerMemory> all = [.. pool.Workers
            .Where(worker => worker.ProcessId is not null && worker.JobsDone > (before?[worker.Index].JobsDone ?? -1))
            .Select(worker => Read(worker.ProcessId!.Value))];
        return all.Count == 0
            ? throw new ExampleException(ExitCode.Failed, "No worker is left to look at.")
            : new(Mean(one => one.PssBytes), Mean(one => one.PrivateBytes), Mean(one => one.OwnBytes));

        long Mean(Func<WorkerMemory, long> bytes) => (long)all.Average(bytes);
    }

    public override string ToString() => $"{ByteSize.Format(PssBytes)} PSS, {ByteSize.Format(PrivateBytes)} private, {ByteSize.Format(OwnBytes)} besides files";

    private static WorkerMemory Read(int processId)
    {
        string[] lines = File.ReadAllLines($"/proc/{processId}/smaps_rollup");
        return new(Of("Pss:"), Of("Private_Clean:") + Of("Private_Dirty:"), Of("Anonymous:"));

        long Of(string field) => 1024 * long.Parse(
            lines.First(line => line.StartsWith(field, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            CultureInfo.InvariantCulture);
    }
}
