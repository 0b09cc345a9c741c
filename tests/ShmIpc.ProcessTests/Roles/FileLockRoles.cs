// Processes with a lock on a file: one that holds it until it is killed, one that starts another program meanwhile, two that fork, one
// that counts under it, and one with the old kind of lock.

using System.Diagnostics;
using System.Globalization;
using System.Text;
using ShmIpc.Memory;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Roles;

internal static class FileLockRoles
{
    public static void Hold(RoleArguments arguments)
    {
        using FileLock? held = FileLock.TryAcquire(arguments.Text("file"), Enum.Parse<FileLockKind>(arguments.Text("kind")));
        RoleArguments.Say(held is null ? "refused" : "ready");
        Thread.Sleep(Timeout.Infinite);
    }

    /// <summary>Holds a lock of the POSIX kind.</summary>
    public static void HoldPosix(RoleArguments arguments)
    {
        using FileStream file = new(arguments.Text("file"), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        file.Lock(5, 10);
        RoleArguments.Say("ready");
        Thread.Sleep(Timeout.Infinite);
    }

    /// <summary>Starts a program that outlives this process.</summary>
    public static void Start(RoleArguments arguments)
    {
        using FileLock held = FileLock.Acquire(arguments.Text("file"), FileLockKind.Exclusive, TimeSpan.Zero);
        using Process started = Process.Start("sleep", arguments.Text("seconds"));
        RoleArguments.Say($"started {started.Id}");
        Thread.Sleep(Timeout.Infinite);
    }

    /// <summary>Adds one to the number in a file, again and again, each time under the lock.</summary>
    public static void Count(RoleArguments arguments)
    {
        string path = arguments.Text("file");
        for (long round = 0; round < arguments.Number("rounds"); round++)
        {
            using FileLock held = FileLock.Acquire(path, FileLockKind.Exclusive, ChildProcess.Patience);
            long number = long.Parse(File.ReadAllText(path), CultureInfo.InvariantCulture);
            File.WriteAllText(path, (number + 1).ToString(CultureInfo.InvariantCulture));
        }

        RoleArguments.Say("done");
    }

    /// <summary>What a forked child may do with its parent's lock: nothing but put its copy away. Plain writes, for the reasons of
    /// <see cref="ForkRole"/>.</summary>
    public static void Fork(RoleArguments arguments)
    {
        string path = arguments.Text("file");
        FileLock shared = FileLock.Acquire(path, FileLockKind.Shared, TimeSpan.Zero, new FileRange(0, 10));
        FileLock exclusive = FileLock.Acquire(path, FileLockKind.Exclusive, TimeSpan.Zero, new FileRange(10, 10));
        int code = Linux.RunForked(() =>
        {
            List<string> wrong = [];
            Expect(wrong, "the parent's lock keeps the child out", FileLock.TryAcquire(path, FileLockKind.Shared, new(10, 10)) is null);
            Refused(wrong, "Downgrade", exclusive.Downgrade);
            Refused(wrong, "TryUpgrade", () => shared.TryUpgrade());
            exclusive.Dispose();
            exclusive.Dispose();
            shared.Dispose();
            Expect(wrong, "the parent still has its lock", FileLock.TryAcquire(path, FileLockKind.Shared, new(10, 10)) is null);
            using FileLock? own = FileLock.TryAcquire(path, FileLockKind.Exclusive, FileRange.From(20));
            Expect(wrong, "the child can take one of its own", own is not null);
            Linux.WriteRaw(Encoding.UTF8.GetBytes($"child {string.Join("; ", wrong).ReplaceLineEndings(" ")}\n"));
            return wrong.Count;
        });
        Linux.WriteRaw(Encoding.UTF8.GetBytes($"parent {code}\n"));
        Thread.Sleep(Timeout.Infinite);

        static void Expect(List<string> wrong, string what, bool isSo)
        {
            if (!isSo)
            {
                wrong.Add($"not so: {what}");
            }
        }

        static void Refused(List<string> wrong, string what, Action use)
        {
            try
            {
                use();
                wrong.Add($"{what} went through");
            }
            catch (ShmForkedProcessException)
            {
                // as it should be
            }
        }
    }

    /// <summary>Gives its lock back while a forked child still has the descriptor.</summary>
    public static void ForkAndRelease(RoleArguments arguments)
    {
        string path = arguments.Text("file");
        FileLock held = FileLock.Acquire(path, FileLockKind.Exclusive, TimeSpan.Zero);
        int child = Linux.StartForked(() => // with no other thread here: a forked child of more than one may hang
        {
            Eventually.True(() => File.Exists(path + ".released"), "the parent gives its lock back");
            using FileLock? own = FileLock.TryAcquire(path, FileLockKind.Exclusive);
            held.Dispose();
            return own is null ? 1 : 0;
        });
        held.Dispose();
        File.WriteAllText(path + ".released", "");
        Linux.WriteRaw(Encoding.UTF8.GetBytes($"parent {Linux.WaitForForked(child)}\n"));
    }
}
