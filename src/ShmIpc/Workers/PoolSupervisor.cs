// Keeps a process in each place of a pool: starts it, learns of its end from the kernel, decides what that means, and starts the next.
// One asynchronous loop for each place, and one that looks for jobs that take too long.
//
// A DEATH. The kernel says that the process is gone, so whatever it had published is there: first all answers are read, then the control
// words say which job it had in hand. If that is still under way, the death is counted against the job; else, if the process had been of no
// use, against the place. The job itself needs no help: the jobs' shared group hands it to another worker.

using ShmIpc.Memory;

namespace ShmIpc.Workers;

internal sealed class PoolSupervisor : IDisposable
{
    public const int Kill = 9;
    private const int Terminate = 15;

    // Taking a job is a matter of microseconds, but for the first time, when all of it is compiled: no short JobTimeout may end that.
    private static readonly TimeSpan _takingPatience = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stopping = new();
    private readonly WorkerPoolOptions _options;
    private readonly PoolControl _control;
    private readonly JobLedger? _jobs;
    private readonly Func<int, int, WorkerLaunch> _launchOf;
    private IWorkerLauncher _launcher = null!;
    private Task[] _loops = [];
    private Task _watch = Task.CompletedTask;
    private WorkerPoolException? _fault;

    /// <param name="options">The pool's.</param>
    /// <param name="control">The pool's.</param>
    /// <param name="jobs">The pool's; null when its bodies have none.</param>
    /// <param name="launchOf">What to tell the worker of that index, behind so many others.</param>
    public PoolSupervisor(WorkerPoolOptions options, PoolControl control, JobLedger? jobs, Func<int, int, WorkerLaunch> launchOf)
    {
        (_options, _control, _jobs, _launchOf) = (options, control, jobs, launchOf);
        Places = [.. Enumerable.Range(0, options.Workers).Select(index => new WorkerPlace(index))];
    }

    public WorkerPlace[] Places { get; }

    /// <summary>Reads every answer that is there. Set before the start.</summary>
    public Action ReadAnswers { get; set; } = () => { };

    /// <summary>Called once, when the pool cannot go on.</summary>
    public Action<WorkerPoolException> OnFault { get; set; } = _ => { };

    /// <summary>Done when no place has a process any more, nor will have.</summary>
    public Task Ended => Task.WhenAll(_loops);

    public void Start(IWorkerLauncher launcher)
    {
        _launcher = launcher;
        _loops = [.. Places.Select(place => Task.Run(() => SuperviseAsync(place)))];
        if (_options.JobTimeout is { } limit)
        {
            _watch = Task.Run(() => WatchAsync(limit));
        }
    }

    /// <summary>Asks every worker to end, and starts no further ones.</summary>
    public void Stop()
    {
        _stopping.Cancel();
        foreach (WorkerPlace place in Places)
        {
            StopWorker(place);
        }
    }

    public void KillAll()
    {
        foreach (WorkerPlace place in Places)
        {
            place.Signal(Kill);
        }
    }

    /// <summary>Waits until all loops are through. Call it behind <see cref="Stop"/>.</summary>
    public Task EndAsync() => Task.WhenAll([.. _loops, _watch]);

    public void Notice(string text)
    {
        try
        {
            _options.OnNotice?.Invoke(text);
        }
        catch (Exception)
        {
            // a listener's mistake is not the pool's
        }
    }

    public void Fault(string reason, Exception? cause = null)
    {
        WorkerPoolException fault = new(reason, cause);
        if (Atomics.Exchange(ref _fault, fault) is null)
        {
            Notice(reason);
            OnFault(fault);
        }
    }

    public void Dispose() => _stopping.Dispose();

    private async Task SuperviseAsync(WorkerPlace place)
    {
        try
        {
            while (!_stopping.IsCancellationRequested && await RunOneAsync(place).ConfigureAwait(false) is { } pause)
            {
                await Task.Delay(pause, _stopping.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // there will be no next one
        }
        catch (Exception error)
        {
            Fault($"The pool could not look after worker {place.Index}: {error.Message}", error);
        }

        place.SetState(WorkerState.Stopped);
    }

    /// <summary>One process from its start to its end. Returns the pause before the next; null when there is to be none.</summary>
    private async Task<TimeSpan?> RunOneAsync(WorkerPlace place)
    {
        _control.Reset(place.Index);
        int restarts = place.Begin();
        WorkerProcess process;
        try
        {
            process = await _launcher.StartAsync(_launchOf(place.Index, restarts), _options.StartTimeout, _stopping.Token)
                .ConfigureAwait(false);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            place.SetCause(error.Message);
            return Judge(place, exit: null);
        }

        place.SetProcess(process);
        if (_stopping.IsCancellationRequested)
        {
            StopWorker(place);
        }

        WorkerExit exit = await WaitForEndAsync(place, process).ConfigureAwait(false);
        if (exit is { ExitCode: null, Signal: null })
        {
            exit = new WorkerExit(_control.ExitCode(place.Index), null);
        }

        ReadAnswers();
        return Judge(place, exit);
    }

    private async Task<WorkerExit> WaitForEndAsync(WorkerPlace place, WorkerProcess process)
    {
        using CancellationTokenSource isReady = new();
        Task late = Task.Delay(_options.StartTimeout, isReady.Token);
        if (await Task.WhenAny(process.Exited, place.Ready, late).ConfigureAwait(false) == late)
        {
            place.SetCause($"It was not ready within {_options.StartTimeout} (StartTimeout), and was killed.");
            NoticeRefusal(place, process.Signal(Kill));
        }

        await isReady.CancelAsync().ConfigureAwait(false);
        return await process.Exited.ConfigureAwait(false);
    }

    private TimeSpan? Judge(WorkerPlace place, WorkerExit? exit)
    {
        bool wasOfUse = place.End(exit, _jobs is not null);
        bool isJobsFault = exit is { } end && BlameJob(place, end);
        if (_stopping.IsCancellationRequested)
        {
            return null;
        }

        if (_jobs is null && exit is { ExitCode: 0 })
        {
            return null; // a plain body that has returned is done
        }

        string what = $"Worker {place.Index} {(exit is { } known ? Describe(known) : "could not be started")}.";
        if (wasOfUse || isJobsFault)
        {
            place.UselessInARow = 0;
            Notice(what);
            return wasOfUse || place.KilledForJob != 0 ? TimeSpan.Zero : _options.RestartDelay;
        }

        int times = ++place.UselessInARow;
        string last = place.LastError is { } line ? $" The last that is known of it: {line}" : "";
        if (times >= _options.CrashLoopLimit)
        {
            Fault($"{what} It was the {times}. time in a row that a process of this worker ended without having been of use "
                + $"(CrashLoopLimit), so the pool gives up.{last}");
            return null;
        }

        Notice(what + last);
        double doubled = _options.RestartDelay.TotalMilliseconds * Math.Pow(2, Math.Min(times - 1, 30));
        return TimeSpan.FromMilliseconds(Math.Min(doubled, _options.MaxRestartDelay.TotalMilliseconds));
    }

    /// <summary>True when the worker has died with a job in hand.</summary>
    private bool BlameJob(WorkerPlace place, WorkerExit exit)
    {
        ulong number = _control.Current(place.Index);
        if (place.KilledForJob != 0)
        {
            return true; // that job has failed already; if it has another in hand by now, that one is not to blame
        }

        int deaths = _jobs?.AddDeath(number, exit) ?? 0;
        if (deaths >= _options.MaxDeliveries)
        {
            FailUndeliverable(number);
        }

        return deaths > 0;
    }

    /// <summary>A job has cost as many workers as it may.</summary>
    private void FailUndeliverable(ulong number)
    {
        if (!_jobs!.TryTake(number, isAbandoned: true, out PendingJob? job))
        {
            return;
        }

        string end = job.LastExit is { } exit ? $"; the last one {Describe(exit)}" : "";
        string died = job.Deaths == 1 ? "1 worker died" : $"{job.Deaths} workers died";
        job.Fail(new WorkerJobException($"The job was not done: {died} while working on it{end}. It is not tried again (MaxDeliveries).")
        {
            Exit = job.LastExit,
            Deaths = job.Deaths,
        });
    }

    private async Task WatchAsync(TimeSpan limit)
    {
        TimeSpan period = TimeSpan.FromMilliseconds(Math.Clamp(limit.TotalMilliseconds / 10, 2, 250));
        using PeriodicTimer timer = new(period);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token).ConfigureAwait(false))
            {
                foreach (WorkerPlace place in Places)
                {
                    EndIfTooLong(place, limit);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // the pool stops, and kills who takes too long for that
        }
        catch (Exception error)
        {
            Fault($"The pool could not watch how long its jobs run: {error.Message}", error);
        }
    }

    private void EndIfTooLong(WorkerPlace place, TimeSpan limit)
    {
        ulong number = _control.Current(place.Index);
        bool isTaking = number > PoolControlLayout.Taking;
        // Also when its caller has cancelled it already: a body that does not listen would keep its worker for ever.
        if (!place.HasHad(number, isTaking && limit < _takingPatience ? _takingPatience : limit)
            || _control.Current(place.Index) != number || !place.TryKillFor(number, out string? refusal))
        {
            return;
        }

        if (isTaking && refusal is null)
        {
            Notice($"Worker {place.Index} was stopped while it took a job, and was killed (JobTimeout). The job goes to another worker.");
        }
        else if (_jobs!.TryTake(number, isAbandoned: true, out PendingJob? job))
        {
            NoticeRefusal(place, refusal);
            string end = refusal is null ? "was killed." : $"could not be killed: {refusal}";
            job.Fail(new TimeoutException($"The job ran longer than {limit} (JobTimeout). Its worker {place.Index} {end}"));
        }
    }

    private void StopWorker(WorkerPlace place)
    {
        place.SetState(WorkerState.Stopping);
        _control.Stop(place.Index);
        NoticeRefusal(place, place.Signal(Terminate)); // the word in memory may do without it
    }

    private void NoticeRefusal(WorkerPlace place, string? refusal)
    {
        if (refusal is not null)
        {
            Notice($"Worker {place.Index} could not be sent a signal: {refusal}");
        }
    }

    private static string Describe(WorkerExit exit) => exit switch
    {
        { Signal: { } signal } => $"was ended by signal {signal}",
        { ExitCode: { } code } => $"ended with exit code {code}",
        _ => "ended, nobody knows how",
    };
}
