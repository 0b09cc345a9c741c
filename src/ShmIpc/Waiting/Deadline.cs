// A timeout, counted from when a wait began.

using System.Diagnostics;

namespace ShmIpc.Waiting;

internal readonly struct Deadline
{
    private readonly long _start;
    private readonly TimeSpan _timeout;

    /// <param name="timeout">Null or <see cref="Timeout.InfiniteTimeSpan"/>: for ever.</param>
    public Deadline(TimeSpan? timeout)
    {
        _timeout = timeout is null || timeout == Timeout.InfiniteTimeSpan ? TimeSpan.MaxValue : timeout.Value;
        if (_timeout < TimeSpan.Zero)
        {
            throw new ArgumentOutOfRangeException(nameof(timeout), timeout, "The timeout must be zero, positive, or "
                + "Timeout.InfiniteTimeSpan.");
        }

        _start = _timeout == TimeSpan.MaxValue ? 0 : Stopwatch.GetTimestamp();
    }

    /// <summary>What was asked for, for messages.</summary>
    public TimeSpan Asked => _timeout;

    public TimeSpan Left
    {
        get
        {
            if (_timeout == TimeSpan.MaxValue)
            {
                return TimeSpan.MaxValue;
            }

            TimeSpan left = _timeout - Stopwatch.GetElapsedTime(_start);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    public bool IsOver => Left == TimeSpan.Zero;
}
