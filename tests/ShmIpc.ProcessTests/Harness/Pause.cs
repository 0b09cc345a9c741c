// The ways in which a living process stands still for a while. Disposing the pause ends it.

using System.Diagnostics;
using System.Globalization;
using ShmIpc.ProcessTests.Roles;

namespace ShmIpc.ProcessTests.Harness;

internal sealed class Pause : IDisposable
{
    private readonly Action _end;

    private Pause(Action end) => _end = end;

    /// <summary>Returns when all of them stand still.</summary>
    public static Pause Begin(PauseWay way, IReadOnlyList<ChildProcess> children, string stallFile) => way switch
    {
        PauseWay.Signal => BySignal(children),
        PauseWay.Debugger => ByDebugger(children),
        _ => ByCollection(children, stallFile),
    };

    public void Dispose() => _end();

    private static Pause BySignal(IReadOnlyList<ChildProcess> children)
    {
        foreach (ChildProcess child in children)
        {
            child.Stop();
        }

        return new Pause(() =>
        {
            foreach (ChildProcess child in children)
            {
                child.Continue();
            }
        });
    }

    private static Pause ByDebugger(IReadOnlyList<ChildProcess> children) => new(Debugger.Attach(children).Dispose);

    /// <summary>Returns when nothing of the child runs any more but the thread that collects, for ever.</summary>
    private static void AwaitCollection(ChildProcess child)
    {
        Eventually.True(() => Linux.WaitsForFileLock(child.Id), $"{child} waits where the runtime cannot suspend it");
        string[] collectors = [];
        Eventually.True( // a thread that it has just started has its name for a moment
            () =>
            {
                collectors = [.. Directory.GetDirectories($"/proc/{child.Id}/task")
                    .Where(thread => Linux.ThreadName(thread) == CollectionStall.CollectorName)];
                return collectors.Length == 1;
            },
            $"{child} has one thread that asks for collections");
        string collector = collectors[0];
        long before = Linux.Runs(collector).Times;
        (char State, long Times) last = default;
        int same = 0;

        // Every collection that it asks for from here on does not end. It has asked when it has run a few times, or does not run at all.
        Eventually.True(
            () =>
            {
                (char State, long Times) now = Linux.Runs(collector);
                same = now == last && now.State == 'S' ? same + 1 : 0;
                last = now;
                return now.Times > before + 10 || same == 50;
            },
            $"{child} asks for a collection");
        Eventually.True(
            () => Linux.ThreadStates(child.Id, CollectionStall.CollectorName).AsSpan().IndexOfAny('R', 'D') < 0, $"{child} stands still");
    }

    /// <remarks>The children wait for a lock of the file, inside a collection (Roles/CollectionStall.cs).</remarks>
    private static Pause ByCollection(IReadOnlyList<ChildProcess> children, string stallFile)
    {
        FileStream file = new(stallFile, FileMode.Create, FileAccess.ReadWrite, FileShare.None); // that is flock(LOCK_EX)
        foreach (ChildProcess child in children)
        {
            Linux.Signal(child.Id, Linux.SIGUSR1);
        }

        foreach (ChildProcess child in children)
        {
            child.Expect("stalling");
        }

        foreach (ChildProcess child in children)
        {
            AwaitCollection(child);
        }

        long start = Stopwatch.GetTimestamp();
        return new Pause(() =>
        {
            double pausedMs = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            file.Dispose();
            foreach (ChildProcess child in children)
            {
                int stalledMs = int.Parse(child.Expect("stalled")[0], CultureInfo.InvariantCulture);
                Assert.True(stalledMs > pausedMs / 2, $"{child} stood still for {stalledMs} ms of {pausedMs} only.");
            }
        });
    }
}
