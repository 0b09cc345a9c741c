namespace ShmIpc.Benchmarks.Measuring;

/// <summary>Waiting for what the other process makes.</summary>
internal static class Rendezvous
{
    /// <exception cref="TimeoutException">It did not come within 10 s.</exception>
    public static void WaitUntil(Func<bool> isThere, string what)
    {
        long deadline = Environment.TickCount64 + 10_000;
        while (!isThere())
        {
            if (Environment.TickCount64 > deadline)
            {
                throw new TimeoutException($"There was no {what} within 10 s.");
            }

            Thread.Sleep(1);
        }
    }
}
