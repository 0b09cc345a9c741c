// Spreads work evenly over time. Sleeping is coarse (a thread wakes up to a millisecond late), and a burst after each sleep would show
// up as latency that the channel does not have, so the rest of each wait is spun.
using System.Diagnostics;

namespace ShmIpc.Examples.Producer;

/// <summary>Lets <paramref name="perSecond"/> steps a second pass.</summary>
internal sealed class Pacer(double perSecond)
{
    private static readonly TimeSpan _sleepsAtMost = TimeSpan.FromMilliseconds(2);

    private readonly long _started = Stopwatch.GetTimestamp();
    private long _steps;

    /// <summary>Waits until the next step is due.</summary>
    public void Wait(CancellationToken stopping)
    {
        long due = _started + (long)(_steps++ / perSecond * Stopwatch.Frequency);
        for (TimeSpan early; (early = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due)) > TimeSpan.Zero;)
        {
            stopping.ThrowIfCancellationRequested();
            if (early > _sleepsAtMost)
                stopping.WaitHandle.WaitOne(early - _sleepsAtMost);
            else
                Thread.Yield(); // and not a bare spin: the consumer may need this core
        }
    }
}
