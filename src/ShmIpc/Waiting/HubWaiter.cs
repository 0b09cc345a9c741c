// One pending `await` of a producer or a consumer: a reusable ValueTask source among the PendingAwaits of its attachment. Its owner says
// what it waits for; the waiter only knows how to be cancelled and completed. After GetResult it goes back to its owner, so a steady
// stream of awaits allocates nothing.

using System.Threading.Tasks.Sources;

namespace ShmIpc.Waiting;

internal abstract class HubWaiter : PendingAwait, IValueTaskSource<bool>
{
    private static readonly Action<object?> _onCancel = static state => ((HubWaiter)state!).Cancel();

    private ManualResetValueTaskSourceCore<bool> _source = new() { RunContinuationsAsynchronously = true };
    private CancellationToken _cancellation;
    private CancellationTokenRegistration _registration;

    protected HubWaiter(ISleeper sleeper)
    {
        Sleeper = sleeper;
    }

    /// <summary>Begins to wait, or completes at once.</summary>
    public ValueTask<bool> Start(CancellationToken cancellation)
    {
        if (!Sleeper.Room.Awaits.TryAdd(this))
        {
            bool result = Result;
            Return();
            return new ValueTask<bool>(result);
        }

        if (cancellation.CanBeCanceled)
        {
            _cancellation = cancellation;
            _registration = cancellation.UnsafeRegister(_onCancel, this);
        }

        return new ValueTask<bool>(this, _source.Version);
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

    /// <inheritdoc/>
    public override void Complete()
    {
        if (Error is null)
        {
            _source.SetResult(Result);
        }
        else
        {
            _source.SetException(Error);
        }
    }

    /// <summary>The waiter may be used again.</summary>
    protected abstract void Return();

    private void Cancel()
    {
        if (Sleeper.Room.Awaits.TryRemove(this))
        {
            _source.SetException(new OperationCanceledException(_cancellation));
        }
    }
}
