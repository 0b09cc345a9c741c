using System.Diagnostics;

namespace ShmIpc.Tests;

/// <summary>Runs the same work on several threads that start together, and passes on what any of them throws.</summary>
internal static class Concurrently
{
    public static void Run(int threads, TimeSpan atMost, Action<int> work)
    {
        using Barrier start = new(threads);
        List<Exception> failures = [];
        Thread[] running = [.. Enumerable.Range(0, threads).Select(number => new Thread(() =>
        {
            try
            {
                start.SignalAndWait(atMost);
                work(number);
            }
            catch (Exception failure)
            {
                lock (failures)
                {
                    failures.Add(failure);
                }
            }
        }) { IsBackground = true })];
        foreach (Thread thread in running)
        {
            thread.Start();
        }

        Stopwatch clock = Stopwatch.StartNew();
        foreach (Thread thread in running)
        {
            TimeSpan left = atMost - clock.Elapsed;
            if (!thread.Join(left > TimeSpan.Zero ? left : TimeSpan.Zero))
            {
                throw new TimeoutException($"Not every thread ended within {atMost}.");
            }
        }

        if (failures.Count > 0)
        {
            throw new AggregateException(failures);
        }
    }
}
