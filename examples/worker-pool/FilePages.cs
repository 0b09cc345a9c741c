// Whose the pages of a file are that the workers of a pool have mapped privately, as the kernel counts it.
using ShmIpc.Examples.Terminal;
using ShmIpc.Memory;
using ShmIpc.Workers;

namespace ShmIpc.Examples.Pool;

/// <param name="SharedCleanBytes">Pages of the page cache that others map too; the sum of all workers.</param>
/// <param name="PrivateDirtyBytes">Pages that a worker has written to, and has for itself since then.</param>
internal sealed record FilePages(long SharedCleanBytes, long PrivateDirtyBytes)
{
    public static FilePages Of(WorkerPool pool, string path)
    {
        ProcessMappingSizes[] all = [.. pool.Workers
            .Where(worker => worker.ProcessId is not null)
            .SelectMany(worker => ProcessMaps.Read(worker.ProcessId, withSizes: true).Entries)
            .Where(mapping => mapping.Path == path)
            .Select(mapping => mapping.Sizes!)];
        return new(all.Sum(sizes => sizes.SharedCleanBytes ?? 0), all.Sum(sizes => sizes.PrivateDirtyBytes ?? 0));
    }

    public override string ToString() =>
        $"Shared_Clean {ByteSize.Format(SharedCleanBytes)}, Private_Dirty {ByteSize.Format(PrivateDirtyBytes)}";
}
