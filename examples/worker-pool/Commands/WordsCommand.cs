// worker-pool words FILE: counts a text in segments, each in whatever worker is free, and checks the sum against a run in this process.
using System.CommandLine;
using System.Diagnostics;
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
            file, settings.Workers, settings.Mode, settings.Json,
        };
        command.SetAction(parsed => RunAsync(
            PoolSettings.Require(parsed.GetRequiredValue(file)), settings, parsed).GetAwaiter().GetResult());
        return command;
    }

    public static TextCounts Count(Segment part, WorkerContext context) =>
        TextCounts.Of(SharedFile.Of(context, part.IsCopied != 0), part);

    private static void Preload()
    {
        using var file = SharedFile.Map(Environment.ProcessPath!);
        TextCounts.Of(file, new(0, 4096, 0));
    }

    private static async Task<int> RunAsync(string path, PoolSettings settings, ParseResult parsed)
    {
        WorkerPoolOptions options = settings.ToOptions(parsed, path, Preload);
        options.JobSerializer = typeof(BlittablePayload<Segment>);
        options.ResultSerializer = typeof(BlittablePayload<TextCounts>);
        var clock = Stopwatch.StartNew();
        await using var pool = await WorkerPool.StartAsync<Segment, TextCounts>(Count, options);
        double ready = clock.Elapsed.TotalMilliseconds;

        using var file = SharedFile.Map(path);
        long length = new FileInfo(path).Length;
        clock.Restart();
        TextCounts counts = await SumAsync(isCopied: false);
        double poolSeconds = clock.Elapsed.TotalSeconds;
        WorkerMemory shared = WorkerMemory.Of(pool);
        var before = pool.Workers;
        TextCounts again = await SumAsync(isCopied: true);
        WorkerMemory notShared = WorkerMemory.Of(pool, before);

        clock.Restart();
        TextCounts single = TextCounts.Of(file, new(0, length, 0));
        return new PoolReport
        {
            File = path,
            Bytes = length,
            Mode = PoolSettings.NameOf(pool.StartMode),
            FallbackReason = pool.FallbackReason,
            Workers = options.Workers,
            ReadyMilliseconds = ready,
            PoolSeconds = poolSeconds,
            SingleSeconds = clock.Elapsed.TotalSeconds,
            Shared = shared,
            NotShared = notShared,
            IsSame = counts == single && again == single,
            Counts = counts,
        }.Print(parsed.GetValue(settings.Json));

        async Task<TextCounts> SumAsync(bool isCopied)
        {
            TextCounts sum = default;
            await foreach (TextCounts part in pool.RunAsync(Segment.Split(file, length, options.Workers * SegmentsPerWorker, isCopied)))
                sum += part;
            return sum;
        }
    }
}
