// Sleeping on a 32-bit word in shared memory, and waking who sleeps. Futexes here are shared between processes (no
// FUTEX_PRIVATE_FLAG) unless a word says otherwise. Every call is an ordinary P/Invoke transition, so that the GC can run while a
// thread sleeps; SuppressGCTransition would stop the whole process.

using Tmds.Linux;
using static ShmIpc.Interop.LibCExtras;
using static Tmds.Linux.LibC;

namespace ShmIpc.Interop;

internal static unsafe class Futex
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    // More than anybody waits for, and far from where the kernel's clock arithmetic ends.
    private static readonly TimeSpan _longest = TimeSpan.FromDays(36_500);

    /// <summary>Whether the kernel has <c>futex_waitv</c> (Linux 5.16) and lets this process use it.</summary>
    public static bool IsWaitAnySupported { get; } = ProbeWaitAny();

    /// <summary>Sleeps while the word holds <paramref name="expected"/>, until woken or until the time is over.</summary>
    /// <param name="address">Address of the word, a multiple of 4.</param>
    /// <param name="expected">The value on which to sleep.</param>
    /// <param name="timeout">Relative, by CLOCK_MONOTONIC; <see cref="Timeout.InfiniteTimeSpan"/> for no end; other negative values
    /// count as zero.</param>
    public static FutexResult Wait(nint address, uint expected, TimeSpan timeout)
    {
        var isInfinite = timeout == Timeout.InfiniteTimeSpan;
        var relative = ToTimespec(Nanoseconds(timeout));
        CrashPoint.BeforeCall("futex wait");
        var result = (long)(ssize_t)syscall(
            SYS_futex, (void*)address, FUTEX_WAIT, expected, isInfinite ? null : &relative, (void*)null, 0);
        return result >= 0 ? FutexResult.Woken : ToResult(errno, "futex", "FUTEX_WAIT");
    }

    /// <summary>Wakes at most <paramref name="count"/> sleepers and says how many it woke.</summary>
    public static int Wake(nint address, int count)
    {
        CrashPoint.BeforeCall("futex wake");
        var result = (long)(ssize_t)syscall(SYS_futex, (void*)address, FUTEX_WAKE, count, (void*)null, (void*)null, 0);
        if (result < 0) throw LinuxError.ToException(errno, "futex", $"FUTEX_WAKE, count {count}");
        return (int)result;
    }

    /// <summary>Sleeps while every word holds what is expected of it, until one of them is woken or the time is over.</summary>
    /// <param name="words">1 to 128 words.</param>
    /// <param name="timeout">Relative, by CLOCK_MONOTONIC; <see cref="Timeout.InfiniteTimeSpan"/> for no end; other negative values
    /// count as zero.</param>
    public static FutexResult WaitAny(ReadOnlySpan<FutexWord> words, TimeSpan timeout)
    {
        if (words.Length is 0 or > FUTEX_WAITV_MAX)
        {
            throw new ArgumentException($"A wait takes 1 to {FUTEX_WAITV_MAX} words, not {words.Length}.", nameof(words));
        }

        var waiters = stackalloc futex_waitv[words.Length];
        for (var i = 0; i < words.Length; i++)
        {
            waiters[i] = new futex_waitv
            {
                val = words[i].Expected,
                uaddr = (ulong)words[i].Address,
                flags = (uint)(words[i].IsPrivate ? FUTEX_32 | FUTEX_PRIVATE_FLAG : FUTEX_32),
            };
        }

        var isInfinite = timeout == Timeout.InfiniteTimeSpan;
        var deadline = isInfinite ? default : ToTimespec(MonotonicNow() + Nanoseconds(timeout));
        CrashPoint.BeforeCall("futex_waitv");
        var result = (long)(ssize_t)syscall(
            SYS_futex_waitv, waiters, words.Length, 0, isInfinite ? null : &deadline, CLOCK_MONOTONIC);
        return result >= 0 ? FutexResult.Woken : ToResult(errno, "futex_waitv", $"{words.Length} words");
    }

    private static FutexResult ToResult(int errno, string operation, string arguments)
    {
        if (errno == EAGAIN) return FutexResult.Changed;
        if (errno == ETIMEDOUT) return FutexResult.TimedOut;
        if (errno == EINTR) return FutexResult.Interrupted;
        throw LinuxError.ToException(errno, operation, arguments);
    }

    private static long Nanoseconds(TimeSpan timeout)
    {
        if (timeout <= TimeSpan.Zero) return 0;
        return (timeout < _longest ? timeout : _longest).Ticks * TimeSpan.NanosecondsPerTick;
    }

    private static long MonotonicNow()
    {
        timespec now;
        if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) throw LinuxError.ToException(errno, "clock_gettime", "CLOCK_MONOTONIC");
        return (long)now.tv_sec * NanosecondsPerSecond + (long)now.tv_nsec;
    }

    private static timespec ToTimespec(long nanoseconds) => new()
    {
        tv_sec = nanoseconds / NanosecondsPerSecond,
        tv_nsec = (int)(nanoseconds % NanosecondsPerSecond),
    };

    // No words are never valid, so a kernel that has the call says EINVAL; one without says ENOSYS, and a sandbox EPERM.
    private static bool ProbeWaitAny() =>
        (long)(ssize_t)syscall(SYS_futex_waitv, (void*)null, 0, 0, (void*)null, CLOCK_MONOTONIC) < 0 && errno == EINVAL;
}
