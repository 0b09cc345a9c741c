// One pending `await` on a doorbell: a reusable ValueTask source that the AsyncHub polls. Its owner (a producer or a consumer) says
// what it waits for; the waiter only knows how to be woken, cancelled and completed. After GetResult it goes back to its owner, so
// a steady stream of awaits allocates nothing.

using System.Threading.Tasks.Sources;
using ShmIpc.Memory;

namespace ShmIpc.Waiting;

internal abstract class HubWaiter : IValueTaskSource<bool>
{
    private static readonly Action<object?> _onCancel = static state => ((HubWaiter)state!).Cancel();

    private ManualResetValueTaskSourceCore<bool> _source = new() { RunContinuationsAsynchronously = true };
    private CancellationToken _cancellation;
    private CancellationTokenRegistration _registration;
    private bool _isCancelled;
    private AsyncHub? _hub;

    /// <summary>The doorbell that this waiter sleeps on.</summary>
    public nint DoorbellAddress { get; private set; }

    /// <summary>The doorbell's value when the waiter looked last.</summary>
    public uint Ticket { get; private set; }

    /// <summary>The last look could not be finished, because another thread was at work. Look again soon.</summary>
    public bool IsContended { get; protected set; }

    protected abstract WaitingRoom Room { get; }

    protected abstract int Slot { get; }

    /// <summary>Begins to wait, or completes at once.</summary>
    public ValueTask<bool> Start(CancellationToken cancellation)
    {
        _cancellation = cancellation;
        _isCancelled = false;
        KeepAlive();
        try
        {
            DoorbellAddress = Room.DoorbellAddress(Slot);
            Ticket = Room.Prepare(Slot);
            if (TryFinish(out bool result))
            {
                EndKeepAlive();
                Return();
                return new ValueTask<bool>(result);
            }

            _hub = AsyncHub.Add(this);
        }
        catch
        {
            EndKeepAlive();
            throw;
        }

        if (cancellation.CanBeCanceled)
        {
            _registration = cancellation.UnsafeRegister(_onCancel, this);
        }

        return new ValueTask<bool>(this, _source.Version);
    }

    /// <summary>Looks again; true when the wait is over. Called by the hub only.</summary>
    public bool Poll()
    {
        bool result = false;
        Exception? error = null;
        try
        {
            if (Atomics.Acquire(ref _isCancelled))
            {
                error = new OperationCanceledException(_cancellation);
            }
            else
            {
                if (!Room.IsPrepared(Slot, Ticket))
                {
                    Ticket = Room.Prepare(Slot);
                }

                IsContended = false;
                if (!TryFinish(out result))
                {
                    return false;
                }
            }
        }
        catch (Exception thrown)
        {
            error = thrown;
        }

        EndKeepAlive();
        if (error is null)
        {
            _source.SetResult(result);
        }
        else
        {
            _source.SetException(error);
        }

        return true;
    }

    /// <inheritdoc/>
    public bool GetResult(short token)
    {
        // A second await of the same task, or one of a task that is still pending, is an exception and must not give the waiter back.
        if (_source.GetStatus(token) == ValueTaskSourceStatus.Pending)
        {
            throw new InvalidOperationException("The wait is not over: await the task, and only once.");
        }

        try
        {
            return _source.GetResult(token);
        }
        finally
        {
            _registration.Dispose();
            _registration = default;
            _source.Reset();
            Return();
        }
    }

    /// <inheritdoc/>
    public ValueTaskSourceStatus GetStatus(short token) => _source.GetStatus(token);

    /// <inheritdoc/>
    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    /// <summary>True when there is nothing left to wait for; exceptions go to whoever awaits.</summary>
    protected abstract bool TryFinish(out bool result);

    /// <summary>From here to <see cref="EndKeepAlive"/> the doorbell must stay mapped.</summary>
    protected abstract void KeepAlive();

    protected abstract void EndKeepAlive();

    /// <summary>The waiter may be used again.</summary>
    protected abstract void Return();

    private void Cancel()
    {
        Atomics.Release(ref _isCancelled, true);
        _hub?.Wake();
    }
}
