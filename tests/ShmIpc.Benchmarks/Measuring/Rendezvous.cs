namespace ShmIpc.Benchmarks.Measuring;

/// <summary>Waiting for what another process does: every wait of the benchmarks, but for those that are measured.</summary>
internal static class Rendezvous
{
    private const int PatienceMs = 15_000;

    /// <summary>Looks every millisecond.</summary>
    /// <exception cref="TimeoutException">It did not come within 15 s.</exception>
    public static void WaitUntil(Func<bool> isThere, string what)
    {
        long deadline = Environment.TickCount64 + PatienceMs;
        while (!isThere())
        {
            if (Environment.TickCount64 > deadline)
            {
                throw new TimeoutException($"There was no {what} within {PatienceMs / 1000} s.");
            }

            Thread.Sleep(1);
        }
    }
}
