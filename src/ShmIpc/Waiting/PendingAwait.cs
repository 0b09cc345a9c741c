// One entry of PendingAwaits: something that waits, can be looked at, and is told when the wait is over.

namespace ShmIpc.Waiting;

internal abstract class PendingAwait
{
    /// <summary>Who waits.</summary>
    public ISleeper Sleeper { get; protected set; } = null!;

    /// <summary>Its place among the pending, -1 when it is not there. Only PendingAwaits sets it, under its lock.</summary>
    public int Index { get; set; } = -1;

    /// <summary>The next of a list of finished awaits, on its way to <see cref="Complete"/>.</summary>
    public PendingAwait? NextFinished { get; set; }

    /// <summary>The last look could not be finished, because another thread was at work. Look again soon.</summary>
    public bool IsContended { get; protected set; }

    /// <summary>How the wait ended, unless <see cref="Error"/> says otherwise.</summary>
    public bool Result { get; private set; }

    /// <summary>What the last look threw.</summary>
    public Exception? Error { get; protected set; }

    /// <summary>True when there is nothing left to wait for. Called under the lock of PendingAwaits; never blocks.</summary>
    public bool Look()
    {
        IsContended = false;
        Error = null;
        try
        {
            bool isOver = TryFinish(out bool result);
            Result = result;
            return isOver;
        }
        catch (Exception error)
        {
            Error = error;
            return true;
        }
    }

    /// <summary>The wait is over, and this is no longer among the pending. Called once, without a lock.</summary>
    public abstract void Complete();

    /// <inheritdoc cref="Look"/>
    protected abstract bool TryFinish(out bool result);
}
