// What a document shows of Main cannot be the entry point of the tests: both are local functions here.
#pragma warning disable CS8321 // so nobody calls them
#pragma warning disable SHMIPC001 // fork is an experiment

using System.Diagnostics.CodeAnalysis;
using ShmIpc.Workers;

namespace ShmIpc.Tests.Documents;

/// <summary>What docs/workers.md shows, given the names that it uses: compiled, and not run.</summary>
[SuppressMessage("Style", "IDE0059", Justification = "As the document has it.")]
[SuppressMessage("Style", "IDE1006", Justification = "As the document has it.")]
internal static class WorkersDocument
{
    private static readonly Job job = new("one");
    private static readonly Job[] jobs = [job];
    private static readonly CancellationToken ct = CancellationToken.None;

    public static void Pool()
    {
        static async Task Main(string[] args)
        {
            WorkerPool.RunIfWorker(args);        // the first line of Main: in a worker it does not return, in any other process it returns at once
            await using WorkerPool<Job, Picture> pool = await WorkerPool.StartAsync<Job, Picture>(Render, new() { Workers = 4 });
            Picture one = await pool.RunAsync(job);                                    // one job
            await foreach (Picture picture in pool.RunAsync(jobs, ct)) Save(picture);  // many, their results in the order of the jobs
        }

        static Picture Render(Job job, WorkerContext context) => Draw(job);            // a static method: it runs in another process
    }

    public static void Fork()
    {
        static int Main(string[] args)
        {
            WorkerPool.RunIfWorker(args);       // before anything else: in workers and fork servers it does not return
            ForkSupport.EnsureForkable(args);   // only for Fork, and only behind it: starts the program anew when it has to, same process id
            return RunProgram(args);
        }
    }

    public static void Parent()
    {
        using SharedRegion table = SharedRegion.Create("table", 64 << 20);   // before the workers are started
        table.Mapping.Write(0, 42L);
    }

    public static void Body()
    {
        SharedRegion table = SharedRegion.Open("table");                     // in a worker's body
        long number = table.Mapping.Read<long>(0);
    }

    private static int RunProgram(string[] args) => args.Length;

    private static Picture Draw(Job job) => new(job.Name);

    private static void Save(Picture picture) => _ = picture;

    public sealed record Job(string Name);

    public sealed record Picture(string Name);
}
