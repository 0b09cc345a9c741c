// worker-pool words FILE: counts a text in segments, each in whatever worker is free, and checks the sum against a run in this process. The
// workers map the file privately: what they read they share, and what they write to is their own.
using System.CommandLine;
using System.Diagnostics;
using ShmIpc.Memory;
using ShmIpc.Serialization;
using ShmIpc.Workers;

namespace ShmIpc.Examples.Pool.Commands;

internal static class WordsCommand
{
    private const int SegmentsPerWorker = 8;

    public static Command Create()
    {
        var file = new Argument<FileInfo>("FILE") { Description = "A text, the larger the better" };
        var settings = new PoolSettings();
        var command = new Command("words", "Counts lines and words in parallel; ends with 2 when one process counts something else")
        {
            file, settings.Workers, settings.Mode, settings.Quick, settings.Json,
        };
        command.SetAction(parsed =>
        {
            string path = PoolSettings.Require(parsed.GetRequiredValue(file));
            PoolReport report = RunAsync(path, settings.ToOptions(parsed, path, Preload)).GetAwaiter().GetResult();
            return settings.Report(report, parsed);
        });
        return command;
    }

    public static TextCounts Count(Segment part, WorkerContext context) =>
        Count(SharedFile.Of(context, part.Work == SegmentWork.ReadCopy), part);

    private static TextCounts Count(MemoryMapping file, Segment part)
    {
        if (part.Work == SegmentWork.Fold)
            SharedFile.Fold(file, part);
        return TextCounts.Of(file, part);
    }

    private static void Preload()
    {
        using var file = SharedFile.Map(Environment.ProcessPath!);
        Count(file, new(0, 4096, SegmentWork.Fold));
    }

    private static async Task<PoolReport> RunAsync(string path, WorkerPoolOptions options)
    {
        options.JobSerializer = typeof(BlittablePayload<Segment>);
        options.ResultSerializer = typeof(BlittablePayload<TextCounts>);
        var clock = Stopwatch.StartNew();
        await using var pool = await WorkerPool.StartAsync<Segment, TextCounts>(Count, options);
        double ready = clock.Elapsed.TotalMilliseconds;

        // Read once before anything is measured, so that the page cache has it for the pool and for one process alike.
        using var file = SharedFile.Map(path);
        long length = file.LengthBytes;
        TextCounts.Of(file, new(0, length, SegmentWork.Read));

        clock.Restart();
        TextCounts counts = await SumAsync(SegmentWork.Read);
        double poolSeconds = clock.Elapsed.TotalSeconds;
        WorkerMemory shared = WorkerMemory.Of(pool);
        FilePages? read = null, written = null;
        WorkerMemory? notShared = null;
        TextCounts? folded = null, fromCopies = null;
        if (length < MemoryLimits.Read().AvailableBytes / (2 * (options.Workers + 1)))
        {
            // Each process makes a copy of what it writes to, and then of the whole file: hence the room.
            read = FilePages.Of(pool, path);
            folded = await SumAsync(SegmentWork.Fold);
            written = FilePages.Of(pool, path);
            var before = pool.Workers;
            fromCopies = await SumAsync(SegmentWork.ReadCopy);
            notShared = WorkerMemory.Of(pool, before);
        }

        clock.Restart();
        TextCounts single = CountAlone(path, SegmentWork.Read); // the file itself is as it was, though workers have written to their pages
        double singleSeconds = clock.Elapsed.TotalSeconds;
        bool isSame = counts == single && (fromCopies ?? single) == single
            && (folded is null || folded == CountAlone(path, SegmentWork.Fold));
        return PoolReport.Of(pool, path, length, ready, poolSeconds, singleSeconds, shared, notShared, isSame) with
        {
            Counts = counts,
            Read = read,
            Written = written,
        };

        async Task<TextCounts> SumAsync(SegmentWork work)
        {
            TextCounts sum = default;
            await foreach (TextCounts part in pool.RunAsync(Segment.Split(file, length, options.Workers * SegmentsPerWorker, work)))
                sum += part;
            return sum;
        }
    }

    private static TextCounts CountAlone(string path, SegmentWork work)
    {
        using var file = SharedFile.Map(path);
        return Count(file, new(0, file.LengthBytes, work));
    }
}
