// A shared value's writers, which write until they are killed, and readers, which check every byte.

using System.Globalization;
using System.Runtime.CompilerServices;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.Tests.Values;
using ShmIpc.Values;
using ShmIpc.Waiting;

namespace ShmIpc.ProcessTests.Roles;

internal static class ValueRoles
{
    public const string Name = "value";
    private const int IdShift = 40;
    private const int LeastBytesWithId = 8;

    /// <summary>Writes without pause. Its progress counter is the version that was certainly written; the one behind it is the version
    /// that it began with.</summary>
    public static void Write(RoleArguments arguments)
    {
        using ProgressFile progress = new(arguments.Text("progress"));
        using SharedValue<Pattern> value = Open(arguments);
        int counter = (int)arguments.Number("counter");
        int length = (int)arguments.Number("length");
        RoleArguments.Say("ready");
        RoleArguments.Await("go");
        using SharedValueWriter<Pattern> writer = value.CreateWriter();
        progress[counter + 1] = writer.Version;
        while (true)
        {
            progress[counter] = writer.Write(Expected(counter, writer.Version + 1, length));
        }
    }

    /// <summary>Reads until told to stop; its progress counter is how many versions it has seen.</summary>
    public static void Read(RoleArguments arguments)
    {
        using ProgressFile progress = new(arguments.Text("progress"));
        using SharedValue<Pattern> value = Open(arguments);
        int counter = (int)arguments.Number("counter");
        bool isWaiting = arguments.Number("waiting") != 0;
        bool isDone = false;
        new Thread(() =>
        {
            RoleArguments.Await("stop");
            Volatile.Write(ref isDone, true);
        })
        { IsBackground = true }.Start();
        RoleArguments.Say("ready");
        long last = 0;
        while (!Volatile.Read(ref isDone))
        {
            if (isWaiting)
            {
                value.WaitForChange(last, TimeSpan.FromMilliseconds(100));
            }

            if (value.TryRead(out Pattern read, out long version))
            {
                Check(read, version, last);
                progress[counter] += version == last ? 0 : 1;
                last = version;
            }
        }

        RoleArguments.Say(string.Create(CultureInfo.InvariantCulture, $"done {progress[counter]}"));
    }

    /// <summary>Waits in vain, by threads and by awaits, and says how much processor time that took.</summary>
    public static void Idle(RoleArguments arguments)
    {
        using SharedValue<Pattern> value = Open(arguments);
        using CancellationTokenSource end = new();
        Task[] waiters = [.. Enumerable.Range(0, 4).Select(_ => value.WaitForChangeAsync(value.Version, end.Token).AsTask())];
        for (int i = 0; i < 4; i++)
        {
            new Thread(() => value.WaitForChange(value.Version, TimeSpan.FromMinutes(10))) { IsBackground = true }.Start();
        }

        Thread.Sleep(1_000); // whatever the start takes
        TimeSpan before = Environment.CpuUsage.TotalTime;
        Thread.Sleep((int)arguments.Number("ms"));
        TimeSpan used = Environment.CpuUsage.TotalTime - before;
        RoleArguments.Say(string.Create(CultureInfo.InvariantCulture, $"used {used.TotalMilliseconds:F0}"));
    }

    /// <summary>Writes and reads with all system calls forbidden: the kernel kills the thread at the first one.</summary>
    public static void Silent(RoleArguments arguments)
    {
        using SharedValue<Pattern> value = Open(arguments);
        using SharedValueWriter<Pattern> writer = value.CreateWriter();
        Exchange(value, writer, 10_000); // with DOTNET_TieredCompilation=0 everything is compiled for good after this
        Linux.WriteRaw("warm\n"u8);
        RoleArguments.Say("ready");
        RoleArguments.Await("go");
        if (!Linux.TryForbidSystemCalls())
        {
            throw new InvalidOperationException("The kernel does not let this thread forbid its own system calls.");
        }

        Exchange(value, writer, 200_000);
        Linux.WriteRaw("silent\n"u8);
        Thread.Sleep(Timeout.Infinite); // the kernel kills this thread here
    }

    /// <summary>The value is the one of that version, and the version is no earlier one than before.</summary>
    public static void Check(Pattern read, long version, long last)
    {
        bool isRight = read.Length < LeastBytesWithId
            ? PatternSerializer.Matches(read, version)
            : (read.Number & ((1L << IdShift) - 1)) == version;
        if (!isRight || version < last)
        {
            throw new InvalidOperationException($"Version {version}, after {last}, is {read}.");
        }
    }

    private static Pattern Expected(int id, long version, int length) =>
        new(length < LeastBytesWithId ? version : ((long)id << IdShift) | version, length);

    private static SharedValue<Pattern> Open(RoleArguments arguments) => SharedValue.Open(
        Name, new PatternSerializer(), new SharedValueOptions { Root = arguments.Text("root"), WaitStrategy = WaitStrategy.Adaptive });

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Exchange(SharedValue<Pattern> value, SharedValueWriter<Pattern> writer, int values)
    {
        for (int i = 0; i < values; i++)
        {
            long version = writer.Write(new Pattern(i, 64));
            if (!value.TryRead(out Pattern read, out long found) || found != version || read.Number != i)
            {
                throw new InvalidOperationException("Another value came.");
            }
        }
    }
}
