// Around each test of a pool: its workers are told not to leave diagnostics sockets when they are killed, and at its end nothing of the
// pool is left in this process and no other process, by the kernel's own word.

using ShmIpc.ProcessTests.Harness;
using ShmIpc.Workers;

namespace ShmIpc.ProcessTests.Workers;

#pragma warning disable CA1515 // xunit wants it public
public abstract class PoolTest : IDisposable
{
    private const string Diagnostics = "DOTNET_EnableDiagnostics";
    private readonly string? _diagnostics = Environment.GetEnvironmentVariable(Diagnostics);
    private readonly string[] _shared = Shared();

    protected PoolTest() => Environment.SetEnvironmentVariable(Diagnostics, "0");

    protected static TimeSpan Patience => ChildProcess.Patience;

    /// <summary>Far more than a short job takes, also the first of its worker on a machine that is busy with something else.</summary>
    protected static TimeSpan JobTimeout => TimeSpan.FromSeconds(6);

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(Diagnostics, _diagnostics);
        Assert.Empty(Linux.Children());
        PoolLeftovers.ExpectNone();
        Assert.Equal(_shared, Shared());
        GC.SuppressFinalize(this);
    }

    /// <summary>The pool is stopped whatever the test does, and what the pool says goes to the test's output.</summary>
    protected static WorkerPoolOptions Options(int workers) => new()
    {
        Workers = workers,
        StartTimeout = Patience,
        StopTimeout = TimeSpan.FromSeconds(20),
        RestartDelay = TimeSpan.FromMilliseconds(10),
        OnOutput = line => TestContext.Current.TestOutputHelper?.WriteLine($"worker {line.Worker}: {line.Line}"),
        OnNotice = text => TestContext.Current.TestOutputHelper?.WriteLine($"pool: {text}"),
    };

    protected static async Task<T> Soon<T>(Task<T> task) => await task.WaitAsync(Patience, Cancellation);

    private static string[] Shared() => [.. Directory.GetFileSystemEntries("/dev/shm", "shmipc-pool*").Order()];
}
