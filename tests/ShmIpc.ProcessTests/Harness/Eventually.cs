// Waiting, with a bound, for something that no event announces.

using System.Diagnostics;

namespace ShmIpc.ProcessTests.Harness;

internal static class Eventually
{
    public static void True(Func<bool> condition, string what, TimeSpan? timeout = null) => True(condition, () => what, timeout);

    public static void True(Func<bool> condition, Func<string> what, TimeSpan? timeout = null)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(start) > (timeout ?? ChildProcess.Patience))
            {
                throw new InvalidOperationException($"Not within {timeout ?? ChildProcess.Patience}: {what()}.");
            }

            Thread.Sleep(1);
        }
    }
}
