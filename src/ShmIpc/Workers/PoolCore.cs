// A pool but for its jobs' types: its memory, its workers and its end. It has three memory files, which each worker gets in this order:
// the answers' channel, the control words, and the jobs' channel where there are jobs. Nothing of it has a name in any file system, so
// nothing is left behind however it ends.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using ShmIpc.Regions;

namespace ShmIpc.Workers;

internal sealed class PoolCore : IDisposable
{
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _ending = new();
    private readonly string _body;
    private readonly PoolControl _control;
    private readonly OutputForwarder _output;
    private readonly List<IDisposable> _belongings = [];
    private IWorkerLauncher? _launcher;
    private Task _preparing = Task.CompletedTask;
    private Task _reading = Task.CompletedTask;
    private Task _forwarding = Task.CompletedTask;
    private TaskCompletionSource? _stop;

    public PoolCore(string body, bool hasJobs, WorkerPoolOptions options)
    {
        (_body, Options) = (body, options);
        _output = new OutputForwarder(options.OnOutput);
        try
        {
            AnswersMemory = Own(RegionFile.NewMemory(PoolChannels.AnswersName));
            ControlMemory = Own(RegionFile.NewMemory(PoolChannels.ControlName));
            JobsMemory = hasJobs ? Own(RegionFile.NewMemory(PoolChannels.JobsName)) : null;
            _control = new PoolControl(ControlMemory);
        }
        catch
        {
            DisposeBelongings();
            throw;
        }

        Jobs = hasJobs ? new JobLedger(_control, options.JobsInFlight) : null;
        Supervisor = new PoolSupervisor(options, _control, Jobs, LaunchOf) { OnFault = Fault };
    }

    public WorkerPoolOptions Options { get; }

    public SafeFileHandle AnswersMemory { get; }

    public SafeFileHandle ControlMemory { get; }

    public SafeFileHandle? JobsMemory { get; }

    public JobLedger? Jobs { get; }

    public PoolSupervisor Supervisor { get; }

    public Task Completion => _completion.Task;

    public IWorkerLauncher Launcher => _launcher!;

    public IReadOnlyList<WorkerStatus> Look() =>
        [.. Supervisor.Places.Select(place => place.Look(isBusy: Jobs is null || PoolControlLayout.IsJob(_control.Current(place.Index))))];

    /// <summary>Lets go of it at the pool's end, what came last first.</summary>
    public T Own<T>(T belonging)
        where T : IDisposable
    {
        _belongings.Add(belonging);
        return belonging;
    }

    /// <summary>The first step, before anything that might start a thread, because a process with threads cannot be forked. A fork server
    /// gets ready while the pool does.</summary>
    public void Prepare(CancellationToken cancellationToken) => _preparing = PrepareAsync(cancellationToken);

    private async Task PrepareAsync(CancellationToken cancellationToken)
    {
        WorkerPoolOptions plain = Options with { Cpus = null, MemoryLimitBytes = null, Arguments = new Dictionary<string, string>() };
        WorkerLaunch rehearsal = new(0, 0, _body, PoolChannels.AnswersName, null, WorkerSettings.Of(plain, Jobs is not null, 0).Write());
        using CancellationTokenSource starting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        ValueTask<IWorkerLauncher> creating =
            WorkerLauncher.CreateAsync(Options.StartMode, Options.Preload, OnLine, starting.Token, rehearsal);
        if (!creating.IsCompleted)
        {
            starting.CancelAfter(Options.StartTimeout); // behind the fork, because a timer has a thread
        }

        try
        {
            _launcher = await creating.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"The fork server was not ready within {Options.StartTimeout} (StartTimeout).");
        }

        if (_launcher.FallbackReason is { } reason)
        {
            Supervisor.Notice($"The workers are started as {_launcher.Mode}, not as {Options.StartMode}: {reason}");
        }
    }

    /// <summary>Starts the workers, and waits until all of them are ready.</summary>
    public async Task StartAsync<TResult>(AnswerReader<TResult> answers, CancellationToken cancellationToken)
    {
        await _preparing.ConfigureAwait(false);
        Supervisor.ReadAnswers = answers.ReadAll;
        try
        {
            _forwarding = Task.Run(_output.RunAsync, CancellationToken.None);
            _reading = Task.Run(() => answers.RunAsync(_ending.Token), CancellationToken.None);
            Supervisor.Start(_launcher!);
        }
        catch (TaskSchedulerException error)
        {
            throw BackgroundThread.NotStarted("A thread of the thread pool", error);
        }

        Task allReady = Task.WhenAll(Supervisor.Places.Select(place => place.Ready));
        Task first = await Task.WhenAny(allReady, Completion).WaitAsync(Options.StartTimeout, cancellationToken).ConfigureAwait(false);
        await first.ConfigureAwait(false);
        if (Jobs is null)
        {
            _ = CompleteWhenEndedAsync();
        }
    }

    /// <summary>Stops a pool whose start has failed.</summary>
    public async Task AbandonAsync()
    {
        try
        {
            await StopAsync().ConfigureAwait(false);
        }
        catch (Exception)
        {
            // whoever started it gets what ended the start
        }
    }

    /// <summary>Stops the pool; the second call waits for the first.</summary>
    public async Task StopAsync()
    {
        TaskCompletionSource? mine = null;
        Task stopped;
        lock (_lock)
        {
            stopped = (_stop ??= mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }

        if (mine is null)
        {
            await stopped.ConfigureAwait(false);
            return;
        }

        // Not by Task.Run: where no thread can be had no pool can be started, and then this is all the same how its memory is let go of.
        try
        {
            await _preparing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // whoever started the pool gets what it throws
            if (_launcher is { } launcher)
            {
                await EndWorkersAsync(launcher).ConfigureAwait(false);
            }
        }
        finally
        {
            DisposeBelongings();
            Dispose();
            _completion.TrySetResult();
            mine.SetResult();
        }
    }

    private async Task EndWorkersAsync(IWorkerLauncher launcher)
    {
        using CancellationTokenSource deadline = new(Options.StopTimeout);
        if (Jobs is { } jobs)
        {
            jobs.Close("The pool was stopped, and takes no further jobs.");
            await WaitAsync(jobs.Emptied, deadline.Token).ConfigureAwait(false);
            jobs.FailAll(() => new WorkerPoolException(
                $"The pool was stopped, and the job was not answered within {Options.StopTimeout} (StopTimeout)."));
        }

        Supervisor.Stop();
        if (!await WaitAsync(Supervisor.Ended, deadline.Token).ConfigureAwait(false))
        {
            Supervisor.Notice($"Workers did not end within {Options.StopTimeout} (StopTimeout), and were killed.");
            while (!await WaitAsync(Supervisor.Ended, new CancellationTokenSource(100).Token).ConfigureAwait(false))
            {
                Supervisor.KillAll();
            }
        }

        await Supervisor.EndAsync().ConfigureAwait(false);
        await _ending.CancelAsync().ConfigureAwait(false);
        await _reading.ConfigureAwait(false);
        await launcher.DisposeAsync().ConfigureAwait(false);
        _output.Complete();
        await _forwarding.ConfigureAwait(false);
    }

    /// <summary>The last step of a stop.</summary>
    public void Dispose()
    {
        _control.Dispose();
        Supervisor.Dispose();
        _ending.Dispose();
    }

    private void DisposeBelongings()
    {
        for (int i = _belongings.Count - 1; i >= 0; i--)
        {
            _belongings[i].Dispose();
        }
    }

    private void Fault(WorkerPoolException fault)
    {
        Jobs?.Close(fault.Message);
        Jobs?.FailAll(() => new WorkerPoolException(fault.Message, fault));
        _completion.TrySetException(fault);
        _ = _completion.Task.Exception; // seen: who does not look at Completion is told by each job
        Supervisor.Stop();
    }

    private async Task CompleteWhenEndedAsync()
    {
        await Supervisor.Ended.ConfigureAwait(false);
        _completion.TrySetResult();
    }

    private WorkerLaunch LaunchOf(int index, int restarts) => new(
        index,
        restarts,
        _body,
        PoolChannels.AnswersName,
        AnswersMemory,
        WorkerSettings.Of(Options, Jobs is not null, index).Write())
    {
        MoreRegions = JobsMemory is { } jobs ? [ControlMemory, jobs] : [ControlMemory],
    };

    private void OnLine(int index, bool isError, string line)
    {
        if (isError && index >= 0 && index < Supervisor.Places.Length)
        {
            Supervisor.Places[index].AddErrorLine(line);
        }

        _output.Add(new WorkerOutput(index, isError, line));
    }

    private static async Task<bool> WaitAsync(Task task, CancellationToken deadline)
    {
        try
        {
            await task.WaitAsync(deadline).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            return false;
        }
    }
}
