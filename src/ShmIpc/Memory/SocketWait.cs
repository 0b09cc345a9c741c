// A wait for a socket that ends with its time limit, with a cancellation and with the socket. The kernel's wait knows no cancellation, so
// where there may be one it is looked for 20 times a second.

using System.Diagnostics;
using System.Net.Sockets;

namespace ShmIpc.Memory;

internal readonly struct SocketWait
{
    private static readonly TimeSpan _slice = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan _longest = TimeSpan.FromMinutes(30); // a Socket takes no more than 35

    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly TimeSpan _limit;

    /// <param name="milliseconds">As a socket has it: zero or less for ever.</param>
    public SocketWait(int milliseconds)
        : this(milliseconds <= 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(milliseconds))
    {
    }

    public SocketWait(TimeSpan timeout)
    {
        if (timeout < TimeSpan.Zero && timeout != Timeout.InfiniteTimeSpan)
        {
            throw new ArgumentOutOfRangeException(
                nameof(timeout), timeout, "The timeout must be zero, positive, or Timeout.InfiniteTimeSpan.");
        }

        _limit = timeout == Timeout.InfiniteTimeSpan ? TimeSpan.MaxValue : timeout;
    }

    /// <summary>Returns when it is worth trying again.</summary>
    public void For(Socket socket, SelectMode mode, CancellationToken cancellationToken)
    {
        var left = _limit - Stopwatch.GetElapsedTime(_start);
        if (left <= TimeSpan.Zero)
        {
            throw new TimeoutException(
                $"The other end {(mode == SelectMode.SelectRead ? "sent nothing" : "took nothing")} within {_limit.TotalMilliseconds} ms.");
        }

        var longest = cancellationToken.CanBeCanceled ? _slice : _longest;
        _ = socket.Poll(left < longest ? left : longest, mode);
    }
}
