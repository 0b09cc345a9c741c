// A garbage collection that takes as long as the test likes: every managed thread of the child stands still, and the process lives. One
// thread waits in a native call from which the runtime cannot suspend it, another one asks for a collection. Told so by SIGUSR1, ended by
// the test when it closes the file that both know (Harness/Pause.cs).

using System.Diagnostics;
using System.Runtime.InteropServices;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Roles;

internal static class CollectionStall
{
    /// <summary>The argument that names the file; a child without it knows no such signal.</summary>
    public const string Key = "stall";

    /// <summary>The name of the thread that asks for collections.</summary>
    public const string CollectorName = "stall collector";

    public static IDisposable? OnSignal(RoleArguments arguments) => arguments.TryText(Key) is { } path
        ? PosixSignalRegistration.Create((PosixSignal)Linux.SIGUSR1, context =>
        {
            context.Cancel = true;
            new Thread(() => Stall(path)) { IsBackground = true, Name = CollectorName }.Start();
        })
        : null;

    private static void Stall(string path)
    {
        Thread waiter = new(() => Linux.WaitUnsuspended(path)) { IsBackground = true, Name = "stall waiter" }; // else it inherits ours
        waiter.Start();
        RoleArguments.Say("stalling");
        TimeSpan longest = TimeSpan.Zero;
        while (!waiter.Join(TimeSpan.FromMilliseconds(1)))
        {
            long start = Stopwatch.GetTimestamp();
            GC.Collect(); // until the waiter waits, a collection comes back at once
            TimeSpan took = Stopwatch.GetElapsedTime(start);
            longest = took > longest ? took : longest;
        }

        RoleArguments.Say(FormattableString.Invariant($"stalled {(long)longest.TotalMilliseconds}"));
    }
}
