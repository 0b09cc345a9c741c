// The thread from which a pool starts its processes, and which listens to all of them: one poll over their pidfds, their output and the
// socket of a fork server. It lasts as long as the launcher, because the kernel ends children together with the *thread* that made them.
// What is watched is the thread's own business: everything but Run, Post and Stop is called from it.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;

namespace ShmIpc.Workers;

internal sealed class LauncherThread
{
    private readonly SafeFileHandle _bell = LinuxPipe.CreateBell();
    private readonly Queue<Action> _posted = []; // also its lock
    private readonly List<(SafeFileHandle Handle, Action OnReady)> _watched = [];
    private readonly List<(long AtMs, Action Action)> _later = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isStopped;

    public LauncherThread()
    {
        _watched.Add((_bell, Answer));
        try
        {
            BackgroundThread.Start(Listen, "ShmIpc workers");
        }
        catch
        {
            _bell.Dispose();
            throw;
        }
    }

    /// <summary>Runs something on the thread.</summary>
    /// <exception cref="ObjectDisposedException">The thread was stopped.</exception>
    public Task<T> Run<T>(Func<T> function)
    {
        TaskCompletionSource<T> result = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            try
            {
                result.SetResult(function());
            }
            catch (Exception error)
            {
                result.SetException(error);
            }
        });
        return result.Task;
    }

    /// <inheritdoc cref="Run"/>
    public void Post(Action action)
    {
        lock (_posted)
        {
            ObjectDisposedException.ThrowIf(_isStopped, this);
            _posted.Enqueue(action);
            LinuxPipe.Ring(_bell);
        }
    }

    /// <summary>Ends the thread, after what was posted before; the kernel ends what it started.</summary>
    public Task Stop()
    {
        lock (_posted)
        {
            if (!_isStopped)
            {
                _isStopped = true;
                LinuxPipe.Ring(_bell);
            }
        }

        return _ended.Task;
    }

    /// <summary>Calls an action whenever a handle can be read, until it is forgotten. The handle must not be disposed before.</summary>
    public void Watch(SafeFileHandle handle, Action onReady) => _watched.Add((handle, onReady));

    public void Forget(SafeFileHandle handle) => _watched.RemoveAll(entry => entry.Handle == handle);

    /// <summary>Calls an action after a time.</summary>
    public void After(TimeSpan delay, Action action) => _later.Add((Environment.TickCount64 + (long)delay.TotalMilliseconds, action));

    private void Listen()
    {
        while (true)
        {
            (SafeFileHandle Handle, Action OnReady)[] watched = [.. _watched];
            bool[] ready = new bool[watched.Length];
            LinuxPipe.Wait(watched.Select(entry => entry.Handle).ToArray(), UntilNext(), ready);
            for (int i = 0; i < watched.Length; i++)
            {
                if (ready[i] && _watched.Contains(watched[i])) // else an earlier one has had it forgotten
                {
                    watched[i].OnReady();
                }
            }

            foreach ((long AtMs, Action Action) due in _later.Where(entry => entry.AtMs <= Environment.TickCount64).ToArray())
            {
                _ = _later.Remove(due);
                due.Action();
            }

            lock (_posted)
            {
                if (_isStopped && _posted.Count == 0)
                {
                    _bell.Dispose();
                    _ended.SetResult();
                    return;
                }
            }
        }
    }

    private int UntilNext() => _later.Count == 0
        ? -1
        : (int)Math.Clamp(_later.Min(entry => entry.AtMs) - Environment.TickCount64, 0, int.MaxValue);

    private void Answer()
    {
        Span<byte> count = stackalloc byte[sizeof(ulong)];
        _ = LinuxPipe.Read(_bell, count);
        while (true)
        {
            Action? action;
            lock (_posted)
            {
                if (!_posted.TryDequeue(out action))
                {
                    return;
                }
            }

            action();
        }
    }
}
