using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using ShmIpc.Channels;
using ShmIpc.Interop;
using ShmIpc.Serialization;

namespace ShmIpc.Workers;

/// <summary>A pool of workers that take jobs. Made by <see cref="WorkerPool"/>.</summary>
/// <typeparam name="TJob">What a worker gets.</typeparam>
/// <typeparam name="TResult">What it returns.</typeparam>
/// <remarks>Each job is answered exactly once, with its result or with an exception. It may run more than once: a worker that dies leaves
/// its job to another one.</remarks>
public sealed class WorkerPool<TJob, TResult> : WorkerPool
{
    private readonly Producer<JobEnvelope<TJob>> _jobs;

    private WorkerPool(PoolCore core, Producer<JobEnvelope<TJob>> jobs)
        : base(core)
    {
        _jobs = jobs;
    }

    /// <summary>Hands out one job, and completes with its result. Any number may be under way; above
    /// <see cref="WorkerPoolOptions.MaxJobsInFlight"/> they wait here.</summary>
    /// <param name="job">The job.</param>
    /// <param name="cancellationToken">Ends the wait at once. A worker that has the job already is told by its
    /// <see cref="WorkerContext.CancellationToken"/>; what it then returns is ignored.</param>
    /// <exception cref="WorkerJobException">The body threw, or as many workers died with the job as
    /// <see cref="WorkerPoolOptions.MaxDeliveries"/> allows.</exception>
    /// <exception cref="TimeoutException">The job ran longer than <see cref="WorkerPoolOptions.JobTimeout"/>.</exception>
    /// <exception cref="WorkerPoolException">The pool has stopped, or given up.</exception>
    /// <exception cref="ShmMessageTooLargeException">The job does not fit <see cref="WorkerPoolOptions.JobBufferBytes"/>.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled by <paramref name="cancellationToken"/>.</exception>
    public async Task<TResult> RunAsync(TJob job, CancellationToken cancellationToken = default)
    {
        JobLedger ledger = Core.Jobs!;
        PendingJob<TResult> pending = new();
        await ledger.AddAsync(pending, cancellationToken).ConfigureAwait(false);
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
            (_, token) =>
            {
                if (ledger.TryTake(pending.Number, isAbandoned: true, out PendingJob? _))
                {
                    pending.Cancel(token);
                }
            },
            null);
        try
        {
            JobEnvelope<TJob> envelope = new(pending.Number, job);
            if (!_jobs.TryWrite(envelope))
            {
                await WriteAsync(envelope, pending).ConfigureAwait(false);
            }
        }
        catch (Exception error)
        {
            if (ledger.TryTake(pending.Number, isAbandoned: false, out _))
            {
                pending.Fail(error is ShmMessageTooLargeException large ? TooLarge(large) : error);
            }
        }

        return await pending.Result.ConfigureAwait(false);
    }

    /// <summary>Hands out jobs as long as there are any, and yields their results in the order of the jobs, each when it and all before it
    /// are there.</summary>
    /// <param name="jobs">The jobs; taken one by one, and never more than <see cref="WorkerPoolOptions.MaxJobsInFlight"/> (and two) ahead
    /// of the results that were taken here.</param>
    /// <param name="cancellationToken">Ends the enumeration and cancels what is under way.</param>
    /// <remarks>A job's exception is thrown in its place and ends the enumeration; jobs behind it are cancelled. To go on behind a failed
    /// job, call <see cref="RunAsync(TJob, CancellationToken)"/> for each. Leaving the enumeration cancels what is under way.</remarks>
    /// <inheritdoc cref="RunAsync(TJob, CancellationToken)" path="/exception"/>
    public async IAsyncEnumerable<TResult> RunAsync(
        IAsyncEnumerable<TJob> jobs, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(jobs);
        using CancellationTokenSource leaving = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Channel<Task<TResult>> window = Channel.CreateBounded<Task<TResult>>(Core.Options.JobsInFlight);
        Task feeding = FeedAsync(jobs, window.Writer, leaving.Token);
        try
        {
            await foreach (Task<TResult> result in window.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return await result.ConfigureAwait(false);
            }
        }
        finally
        {
            await leaving.CancelAsync().ConfigureAwait(false);
            await feeding.ConfigureAwait(false);
            while (window.Reader.TryRead(out Task<TResult>? left))
            {
                await ((Task)left).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <inheritdoc cref="RunAsync(IAsyncEnumerable{TJob}, CancellationToken)"/>
    public IAsyncEnumerable<TResult> RunAsync(IEnumerable<TJob> jobs, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(jobs);
        return RunAsync(jobs.ToAsyncEnumerable(), cancellationToken);
    }

    [RequiresDynamicCode(DynamicCode)]
    [RequiresUnreferencedCode(DynamicCode)]
    internal static async Task<WorkerPool<TJob, TResult>> StartAsync(
        Delegate body, WorkerPoolOptions? options, CancellationToken cancellationToken)
    {
        LinuxPlatform.Require();
        options = (options ?? new WorkerPoolOptions()) with { };
        options.Validate();
        string name = StaticMethod.NameOf(body);
        JobPayload<TJob> jobPayload = new(PayloadChoice.Of<TJob>(options.JobSerializer, nameof(options.JobSerializer)));
        AnswerPayload<TResult> answerPayload = new(PayloadChoice.Of<TResult>(options.ResultSerializer, nameof(options.ResultSerializer)));
        PoolCore core = new(name, hasJobs: true, options);
        try
        {
            core.Prepare(cancellationToken);
            ShmChannel<JobEnvelope<TJob>> jobs = core.Own(
                ShmChannel.Create(PoolChannels.JobsName, jobPayload, PoolChannels.Jobs(core.JobsMemory!, options)));
            Producer<JobEnvelope<TJob>> producer = core.Own(jobs.CreateProducer());
            ShmChannel<Answer<TResult>> answers = core.Own(
                ShmChannel.Create(PoolChannels.AnswersName, answerPayload, PoolChannels.Answers(core.AnswersMemory, options)));
            Consumer<Answer<TResult>> consumer = core.Own(answers.CreateConsumer(PoolChannels.Reader()));
            AnswerReader<TResult> reader = new(consumer, core.Supervisor, core.Jobs);
            await core.StartAsync(reader, cancellationToken).ConfigureAwait(false);
            return new WorkerPool<TJob, TResult>(core, producer);
        }
        catch
        {
            await core.AbandonAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Waits for room among the jobs. Whoever takes the job out of the ledger meanwhile ends the wait.</summary>
    private async Task WriteAsync(JobEnvelope<TJob> envelope, PendingJob<TResult> pending)
    {
        using CancellationTokenSource decided = new();
        Task writing = _jobs.WriteAsync(envelope, decided.Token).AsTask();
        if (await Task.WhenAny(writing, pending.Result).ConfigureAwait(false) != writing)
        {
            await decided.CancelAsync().ConfigureAwait(false);
        }

        await writing.ConfigureAwait(false);
    }

    private async Task FeedAsync(IAsyncEnumerable<TJob> jobs, ChannelWriter<Task<TResult>> window, CancellationToken leaving)
    {
        try
        {
            await foreach (TJob job in jobs.WithCancellation(leaving).ConfigureAwait(false))
            {
                Task<TResult> result = RunAsync(job, leaving);
                _ = result.ContinueWith(
                    static failed => _ = failed.Exception, // seen, also where nobody comes to take it
                    CancellationToken.None,
                    TaskContinuationOptions.OnlyOnFaulted,
                    TaskScheduler.Default);
                await window.WriteAsync(result, leaving).ConfigureAwait(false);
            }

            window.Complete();
        }
        catch (Exception error)
        {
            window.TryComplete(error);
        }
    }

    private ShmMessageTooLargeException TooLarge(ShmMessageTooLargeException error) => new(
        $"A job of {error.MessageBytes} bytes is too large: it may have {error.MaxMessageBytes}, half of JobBufferBytes "
        + $"({Core.Options.JobBufferBytes}), less 16, with 8 of its own. Send less, or a larger JobBufferBytes.",
        error.MessageBytes,
        error.MaxMessageBytes);
}
