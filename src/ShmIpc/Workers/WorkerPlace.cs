// One place of a pool: the process that has it now, and what is known of those before. Everything is under its lock.

using System.Diagnostics;
using ShmIpc.Memory;

namespace ShmIpc.Workers;

internal sealed class WorkerPlace(int index)
{
    private static readonly TimeSpan _longEnough = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private WorkerProcess? _process;
    private WorkerState _state = WorkerState.Starting;
    private WorkerGrants? _grants;
    private WorkerExit? _lastExit;
    private TimeSpan? _readyAfter;
    private string? _cause;
    private string? _lastLine;
    private long _startedAt;
    private long _jobsDone;
    private long _jobsDoneAtStart;
    private int _starts;
    private ulong _watchedJob;
    private long _watchedSince;

    public int Index => index;

    /// <summary>The job for which the process was killed; 0 for none.</summary>
    public ulong KilledForJob { get; private set; }

    /// <summary>How often in a row a process has ended here without having been of use.</summary>
    public int UselessInARow { get; set; }

    public int Restarts => Math.Max(_starts - 1, 0);

    /// <summary>Done when the present process is ready.</summary>
    public Task Ready
    {
        get
        {
            lock (_lock)
            {
                return _ready.Task;
            }
        }
    }

    /// <summary>What is known of the reason for which the last process ended: what it told, else what it wrote to stderr last.</summary>
    public string? LastError
    {
        get
        {
            lock (_lock)
            {
                return _cause ?? _lastLine;
            }
        }
    }

    /// <summary>A process is going to start; returns how many were here before.</summary>
    public int Begin()
    {
        lock (_lock)
        {
            _state = WorkerState.Starting;
            if (_ready.Task.IsCompleted)
            {
                _ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            _startedAt = Stopwatch.GetTimestamp();
            _jobsDoneAtStart = _jobsDone;
            (KilledForJob, _watchedJob) = (0, 0);
            (_cause, _lastLine, _readyAfter) = (null, null, null);
            return _starts++;
        }
    }

    public void SetProcess(WorkerProcess process)
    {
        lock (_lock)
        {
            _process = process;
            BeReadyInLock();
        }
    }

    /// <summary>The process says that it is ready; nothing when it is not the present one. It may say so before
    /// <see cref="SetProcess"/>.</summary>
    public void SetReady(int restarts, WorkerGrants grants)
    {
        lock (_lock)
        {
            if (restarts == _starts - 1 && _state == WorkerState.Starting)
            {
                _grants = grants;
                _readyAfter = Stopwatch.GetElapsedTime(_startedAt);
                BeReadyInLock();
            }
        }
    }

    public void SetState(WorkerState state)
    {
        lock (_lock)
        {
            _state = _state == WorkerState.Stopped ? _state : state; // there comes no other behind it
        }
    }

    public void SetCause(string cause)
    {
        lock (_lock)
        {
            _cause = cause;
        }
    }

    /// <summary>A line on stderr; the lines of a stack, which are indented, say less than the one before them.</summary>
    public void AddErrorLine(string line)
    {
        if (line.Length > 0 && !char.IsWhiteSpace(line[0]))
        {
            lock (_lock)
            {
                _lastLine = line;
            }
        }
    }

    public void CountJob()
    {
        lock (_lock)
        {
            _jobsDone++;
        }
    }

    /// <summary>The process has ended. True when it was of use: it has answered a job, or, without jobs, lived for a while.</summary>
    public bool End(WorkerExit? exit, bool hasJobs)
    {
        lock (_lock)
        {
            _lastExit = exit ?? _lastExit;
            _process?.Dispose();
            (_process, _readyAfter) = (null, null);
            _state = WorkerState.Restarting;
            return hasJobs ? _jobsDone > _jobsDoneAtStart : Stopwatch.GetElapsedTime(_startedAt) > _longEnough;
        }
    }

    /// <inheritdoc cref="WorkerProcess.Signal"/>
    public string? Signal(int signal)
    {
        lock (_lock)
        {
            return _process?.Signal(signal);
        }
    }

    /// <summary>True when a job has been seen in this place's hand for as long as that.</summary>
    public bool HasHad(ulong job, TimeSpan limit)
    {
        lock (_lock)
        {
            if (job != _watchedJob)
            {
                (_watchedJob, _watchedSince) = (job, Stopwatch.GetTimestamp());
            }

            return job != 0 && _process is not null && KilledForJob == 0 && Stopwatch.GetElapsedTime(_watchedSince) >= limit;
        }
    }

    /// <summary>SIGKILL, because of the job that <see cref="HasHad"/> was asked about. False when its process has ended.</summary>
    public bool TryKillFor(ulong job, out string? refusal)
    {
        lock (_lock)
        {
            refusal = null;
            if (_process is null || _watchedJob != job)
            {
                return false;
            }

            refusal = _process.Signal(PoolSupervisor.Kill);
            KilledForJob = refusal is null ? job : 0;
            return true;
        }
    }

    public WorkerStatus Look(bool isBusy)
    {
        lock (_lock)
        {
            ProcessMappingSizes? memory = _process is { } process ? MemoryOf(process.ProcessId) : null;
            return new WorkerStatus
            {
                Index = index,
                State = _state == WorkerState.Idle && isBusy ? WorkerState.Busy : _state,
                ProcessId = _process?.ProcessId,
                JobsDone = _jobsDone,
                Restarts = Restarts,
                LastExit = _lastExit,
                MemoryBytes = memory?.ProportionalBytes,
                PrivateBytes = memory?.PrivateCleanBytes + memory?.PrivateDirtyBytes,
                ReadyAfter = _readyAfter,
                MemoryLimitBytes = _grants?.MemoryLimitBytes,
                Cpus = _grants?.Cpus,
                Refusals = _grants?.Refusals ?? [],
            };
        }
    }

    private void BeReadyInLock()
    {
        if (_process is not null && _readyAfter is not null && _state == WorkerState.Starting)
        {
            _state = WorkerState.Idle;
            _ready.TrySetResult();
        }
    }

    private static ProcessMappingSizes? MemoryOf(int processId)
    {
        try
        {
            return ProcessMemory.Read(processId, withTotals: true).Totals;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null; // it has ended, or the kernel does not say
        }
    }
}
