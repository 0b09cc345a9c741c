// Publishing and reading make no system call while nobody sleeps. The kernel is the judge: seccomp's strict mode kills a thread at its
// first call that is not read, write or exit.

using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests;

public sealed class SilenceTests
{
    [Fact]
    public void Publishing_and_reading_make_no_system_call_while_nobody_sleeps()
    {
        using TestChannel test = new(64 * 1024);
        using ChildProcess child = Start(test);
        child.Send("go");
        child.Expect("silent");
    }

    [Fact]
    public void The_judge_notices_a_call_when_a_sleeper_must_be_woken()
    {
        using TestChannel test = new(64 * 1024);
        using ChildProcess child = Start(test);
        using ByteConsumer sleeper = test.Channel.CreateConsumer();
        while (sleeper.TryRead(out _))
        {
        }

        Thread thread = new(() => sleeper.WaitToRead(ChildProcess.Patience));
        thread.Start();
        Sleepers.Await(TestChannel.Name, test.Options, region => region.Readers);
        child.Send("go");
        thread.Join(ChildProcess.Patience);
        Thread.Sleep(TimeSpan.FromSeconds(1));
        Assert.False(child.HasSaid, "The child woke a sleeper without a system call.");
    }

    private static ChildProcess Start(TestChannel test)
    {
        Assert.SkipUnless(Directory.Exists("/proc/sys/kernel/seccomp"), "This kernel has no seccomp to forbid system calls with.");
        ChildProcess child = ChildProcess.Start(
            "silent",
            ("root", test.Root), ("channel", TestChannel.Name), ("messages", 200_000), ("DOTNET_TieredCompilation", 0), ("DOTNET_gcConcurrent", 0));
        child.Expect("warm");
        child.Expect("ready");
        return child;
    }
}
