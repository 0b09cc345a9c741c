// Starts of pools that fail, again and again, without a garbage collection: what a failed start lets go of late, or leaves to a finalizer,
// is still there then, by the kernel's own word.

using ShmIpc.ProcessTests.Harness;
using ShmIpc.ProcessTests.Workers;
using ShmIpc.Workers;

namespace ShmIpc.ProcessTests.Roles;

internal static class PoolFailureRole
{
    private const long BytesWithoutCollection = 128 << 20;
    private const string Assemblies = ".dll";
    private static string _last = "";
    private static int _started;

    /// <summary>Says "failed" and the last exception, how many starts did not fail, and what is left of those that did.</summary>
    public static void Run(RoleArguments arguments)
    {
        string kind = arguments.Text("kind");
        ulong processes = kind == "fork" ? Linux.Limit(Linux.RLIMIT_NPROC, 1) : 0;
        Action<int> fail = kind switch
        {
            "fork" => _ => Try(async () => // no more than this, because nothing may have started a thread
                await WorkerLauncher.CreateAsync(WorkerStartMode.Fork, null, (_, _, _) => { }, CancellationToken.None)),
            "body" => _ => Try(async () => await WorkerPool.StartAsync<string, string>((job, _) => job + kind)),
            "option" => _ => Start(new() { Workers = 0 }),
            "serializer" => _ => Start(new() { JobSerializer = typeof(string) }),
            "not-forkable" => _ => Start(new() { StartMode = WorkerStartMode.Fork }),
            "late-worker" => _ => Start(new() { StartTimeout = TimeSpan.FromMilliseconds(1), StopTimeout = TimeSpan.Zero }),
            "late-server" => _ => Start(Server(preload: null) with { StartTimeout = TimeSpan.FromMilliseconds(1) }),
            "server-refuses" => _ => Start(TooLong(Server(Bodies.PreloadThatFails))),
            "server-too-long" => _ => Start(TooLong(Server(preload: null))),
            "too-long" => _ => Start(TooLong(new())),
            "gone" => _ => Start(new()),
            "not-executable" => _ => Start(new()),
            _ => throw new ArgumentException($"There is no kind {kind}."),
        };
        if (kind == "gone")
        {
            File.Delete(arguments.Text("copy"));
        }
        else if (kind == "not-executable")
        {
            File.SetUnixFileMode(arguments.Text("copy"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        int times = (int)arguments.Number("times");
        for (int i = 0; i < Math.Min(times, 3); i++)
        {
            fail(i);
        }

        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        string[] before = Held();
        bool isQuiet = GC.TryStartNoGCRegion(BytesWithoutCollection);
        int collections = GC.CollectionCount(0);
        for (int i = 0; i < times; i++)
        {
            fail(i);
        }

        string[] left = Left(before);
        for (int i = 0; i < 500 && left.Length > 0; i++) // a thread that was told to end does so a moment later
        {
            Thread.Sleep(10);
            left = Left(before);
        }

        collections = GC.CollectionCount(0) - collections;
        if (processes > 0)
        {
            Linux.Limit(Linux.RLIMIT_NPROC, processes); // speaking takes a thread
        }

        RoleArguments.Say($"failed {_last.ReplaceLineEndings(" ")}");
        RoleArguments.Say($"started {_started}");
        RoleArguments.Say($"collections {(isQuiet ? collections : -1)}");
        RoleArguments.Say($"left {string.Join(" ; ", left)}");
    }

    private static WorkerPoolOptions Server(Action? preload) => new() { StartMode = WorkerStartMode.ForkServer, Preload = preload };

    private static WorkerPoolOptions TooLong(WorkerPoolOptions options) =>
        options with { Arguments = new Dictionary<string, string> { ["text"] = new string('x', 140_000) } };

    private static void Start(WorkerPoolOptions options)
    {
        options = options with { Workers = Math.Min(options.Workers, 1), CrashLoopLimit = 1, OnOutput = _ => { } };
        Try(async () => await WorkerPool.StartAsync<string, string>(PoolBodies.Do, options));
    }

    private static void Try(Func<Task<IAsyncDisposable>> start)
    {
        try
        {
            start().GetAwaiter().GetResult().DisposeAsync().AsTask().GetAwaiter().GetResult();
            _started++;
        }
        catch (Exception error)
        {
            _last = $"{error.GetType().Name} {error.Message}";
        }
    }

    private static string[] Left(string[] before)
    {
        List<string> more = [.. Held()];
        foreach (string held in before)
        {
            more.Remove(held);
        }

        return [.. more];
    }

    /// <summary>Descriptors, and mappings of files; not what the runtime comes to by itself, which is assemblies and compiled code.</summary>
    private static string[] Held() =>
    [
        .. PoolLeftovers.Descriptors(),
        .. File.ReadLines("/proc/self/maps").Where(line => line.Contains('/') && !line.EndsWith(Assemblies, StringComparison.Ordinal)
            && !line.Contains("doublemapper", StringComparison.Ordinal)).Select(line => $"mapped {line[line.IndexOf('/')..]}"),
    ];
}
