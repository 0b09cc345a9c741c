// When somebody who waits for a file's lock, or awaits room in a socket, tries again: after 1 ms, then after pauses that double up to
// 16 ms, and a last time when the timeout is over.
//
// Of a lock, why not let the kernel wait (F_OFD_SETLKW)? Only a signal ends that call early, so neither a timeout nor a cancellation
// could, and a thread would stand in it for every await. Trying costs one system call a pause, about sixty a second for who waits long,
// and finds a lock that became free up to 16 ms late. Who is woken by the kernel is not served in turn either, so no fairness is lost.

using System.Diagnostics;

namespace ShmIpc.Memory;

internal struct RetryPauses
{
    private static readonly TimeSpan _longest = TimeSpan.FromMilliseconds(16);

    private readonly long _start;
    private TimeSpan _next;

    public RetryPauses(TimeSpan timeout)
    {
        if (timeout < TimeSpan.Zero && timeout != System.Threading.Timeout.InfiniteTimeSpan)
        {
            throw new ArgumentOutOfRangeException(nameof(timeout), timeout,
                "The timeout must be zero, positive, or Timeout.InfiniteTimeSpan.");
        }

        Timeout = timeout == System.Threading.Timeout.InfiniteTimeSpan ? TimeSpan.MaxValue : timeout;
        _next = TimeSpan.FromMilliseconds(1);
        _start = Stopwatch.GetTimestamp();
    }

    /// <summary>What was asked for, for messages.</summary>
    public readonly TimeSpan Timeout { get; }

    /// <summary>False when the timeout is over. Otherwise somebody pauses that long, and tries again.</summary>
    public bool TryNext(out TimeSpan pause)
    {
        var left = Timeout - Stopwatch.GetElapsedTime(_start);
        if (left <= TimeSpan.Zero)
        {
            pause = default;
            return false;
        }

        // Whole milliseconds, and not none: timers round down, and would not pause at all.
        pause = TimeSpan.FromMilliseconds(Math.Ceiling(Math.Min(_next.TotalMilliseconds, left.TotalMilliseconds)));
        _next = _next < _longest ? 2 * _next : _longest;
        return true;
    }
}
