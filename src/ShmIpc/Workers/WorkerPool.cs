using System.Diagnostics.CodeAnalysis;
using ShmIpc.Channels;
using ShmIpc.Interop;
using ShmIpc.Serialization;

namespace ShmIpc.Workers;

/// <summary>A number of processes of this program that run a static method, and are replaced when they die: prefork, as servers know
/// it.</summary>
/// <remarks>
/// <see cref="StartAsync(Action{WorkerContext}, WorkerPoolOptions?, CancellationToken)"/> runs a body until it is told to stop;
/// <see cref="StartAsync{TJob, TResult}(Func{TJob, WorkerContext, TResult}, WorkerPoolOptions?, CancellationToken)"/> hands it jobs.
/// <see cref="RunIfWorker"/> stands in the first line of Main. No death of a worker harms the process that has the pool, and none of them
/// outlives it.
/// </remarks>
public class WorkerPool : IAsyncDisposable
{
    internal const string DynamicCode = "Workers find their body by its name, and choose serializers at run time.";

    internal WorkerPool(PoolCore core)
    {
        Core = core;
    }

    /// <summary>How the workers are really started.</summary>
    public WorkerStartMode StartMode => Core.Launcher.Mode;

    /// <summary>Why <see cref="StartMode"/> is not what the options ask for; null when it is.</summary>
    public string? FallbackReason => Core.Launcher.FallbackReason;

    /// <summary>The workers as they are now.</summary>
    /// <remarks>Each look asks the kernel about the memory of every worker, some milliseconds each: for monitoring.</remarks>
    public IReadOnlyList<WorkerStatus> Workers => Core.Look();

    /// <summary>Done when the pool has stopped, or all of its plain bodies have returned; faulted with <see cref="WorkerPoolException"/>
    /// when it gave up.</summary>
    public Task Completion => Core.Completion;

    internal PoolCore Core { get; }

    /// <summary>What a program with a pool calls in the first line of Main. In a worker it runs the body and does not return; in any other
    /// process it returns at once.</summary>
    /// <param name="args">The arguments of Main.</param>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64 with glibc.</exception>
    public static void RunIfWorker(string[] args) => WorkerEntry.TryRun(args);

    /// <summary>Starts workers whose body runs until it is told to stop, and returns when all of them are about to run it.</summary>
    /// <param name="body">A static method. Its <see cref="WorkerContext.CancellationToken"/> tells it to stop; when it returns, its worker
    /// is done, and when it throws, its worker is replaced.</param>
    /// <param name="options">Null: the defaults.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <exception cref="ArgumentException">The body is not a static method by its name, or an option is out of range.</exception>
    /// <exception cref="InvalidOperationException">Main has not called <see cref="RunIfWorker"/>.</exception>
    /// <exception cref="TimeoutException">The workers were not ready within <see cref="WorkerPoolOptions.StartTimeout"/>.</exception>
    /// <exception cref="WorkerPoolException">The workers do not start; the message says why.</exception>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64 with glibc.</exception>
    [RequiresDynamicCode(DynamicCode)]
    [RequiresUnreferencedCode(DynamicCode)]
    public static Task<WorkerPool> StartAsync(
        Action<WorkerContext> body, WorkerPoolOptions? options = null, CancellationToken cancellationToken = default) =>
        StartPlainAsync(body, options, cancellationToken);

    /// <inheritdoc cref="StartAsync(Action{WorkerContext}, WorkerPoolOptions?, CancellationToken)"/>
    [RequiresDynamicCode(DynamicCode)]
    [RequiresUnreferencedCode(DynamicCode)]
    public static Task<WorkerPool> StartAsync(
        Func<WorkerContext, Task> body, WorkerPoolOptions? options = null, CancellationToken cancellationToken = default) =>
        StartPlainAsync(body, options, cancellationToken);

    /// <summary>Starts workers that take jobs, and returns when all of them are ready.</summary>
    /// <typeparam name="TJob">What a worker gets.</typeparam>
    /// <typeparam name="TResult">What it returns.</typeparam>
    /// <param name="body">A static method; a worker runs it for one job at a time.</param>
    /// <inheritdoc cref="StartAsync(Action{WorkerContext}, WorkerPoolOptions?, CancellationToken)"/>
    /// <param name="options">Null: the defaults.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    [RequiresDynamicCode(DynamicCode)]
    [RequiresUnreferencedCode(DynamicCode)]
    public static Task<WorkerPool<TJob, TResult>> StartAsync<TJob, TResult>(
        Func<TJob, WorkerContext, TResult> body, WorkerPoolOptions? options = null, CancellationToken cancellationToken = default) =>
        WorkerPool<TJob, TResult>.StartAsync(body, options, cancellationToken);

    /// <inheritdoc cref="StartAsync{TJob, TResult}(Func{TJob, WorkerContext, TResult}, WorkerPoolOptions?, CancellationToken)"/>
    [RequiresDynamicCode(DynamicCode)]
    [RequiresUnreferencedCode(DynamicCode)]
    public static Task<WorkerPool<TJob, TResult>> StartAsync<TJob, TResult>(
        Func<TJob, WorkerContext, Task<TResult>> body, WorkerPoolOptions? options = null, CancellationToken cancellationToken = default) =>
        WorkerPool<TJob, TResult>.StartAsync(body, options, cancellationToken);

    /// <summary>Stops the pool: it takes no further jobs, waits for those under way, tells the workers to end (a word in shared memory, and
    /// SIGTERM), and kills who has not ended when <see cref="WorkerPoolOptions.StopTimeout"/> is over. Jobs that are not answered by then
    /// fail with a <see cref="WorkerPoolException"/>.</summary>
    /// <remarks>When it is through, no process of the pool is left, and its memory is going. A second call waits for the first.</remarks>
    public Task StopAsync() => Core.StopAsync();

    /// <summary>As <see cref="StopAsync"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        await Core.StopAsync().ConfigureAwait(false);
        GC.SuppressFinalize(this);
    }

    private static async Task<WorkerPool> StartPlainAsync(Delegate body, WorkerPoolOptions? options, CancellationToken cancellationToken)
    {
        LinuxPlatform.Require();
        options = (options ?? new WorkerPoolOptions()) with { };
        options.Validate();
        PoolCore core = new(StaticMethod.NameOf(body), hasJobs: false, options);
        try
        {
            core.Prepare(cancellationToken);
            AnswerPayload<byte[]> payload = new(new BytesPayload());
            ShmChannel<Answer<byte[]>> answers = core.Own(
                ShmChannel.Create(PoolChannels.AnswersName, payload, PoolChannels.Answers(core.AnswersMemory, options)));
            Consumer<Answer<byte[]>> consumer = core.Own(answers.CreateConsumer(PoolChannels.Reader()));
            await core.StartAsync(new AnswerReader<byte[]>(consumer, core.Supervisor, jobs: null), cancellationToken).ConfigureAwait(false);
            return new WorkerPool(core);
        }
        catch
        {
            await core.AbandonAsync().ConfigureAwait(false);
            throw;
        }
    }
}
