namespace ShmIpc.Interop;

/// <summary>Why a wait on a futex came back. All but <see cref="TimedOut"/> mean: look at the word again.</summary>
internal enum FutexResult
{
    /// <summary>Somebody rang.</summary>
    Woken,

    /// <summary>The word did not hold the expected value (EAGAIN), so there was nothing to wait for.</summary>
    Changed,

    /// <summary>The time ran out (ETIMEDOUT).</summary>
    TimedOut,

    /// <summary>A signal ended the wait (EINTR).</summary>
    Interrupted,
}
