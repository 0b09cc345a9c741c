// Clocks that differ between participants, and clocks that jump: nothing is decided by the time of day, and no time is handed from one
// process to another.

using System.Globalization;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Faults;

public sealed class ClockTests(ITestOutputHelper output)
{
    private readonly ITestOutputHelper _output = output;

    [Fact]
    public void Processes_whose_clocks_differ_by_a_day_exchange_messages_wait_and_notice_deaths()
    {
        using ScratchRoot root = new();
        using Party ahead = new(Isolation.Clock);
        using Party here = new();
        (long aheadSeconds, long hereSeconds) = (Clock(ahead).Seconds, Clock(here).Seconds);
        _output.WriteLine($"monotonic clocks: {aheadSeconds} s and {hereSeconds} s");
        Assert.True(aheadSeconds - hereSeconds > 90_000, "The clocks do not differ.");
        ExchangeAndWait(ahead, here, root.Path);

        Linux.Signal(Linux.OnlyChildOf(ahead.Process.Id), Linux.SIGKILL);
        Assert.NotEqual(0, ahead.Process.WaitForExit());
        using Party next = new();
        next.Do($"open {root.Path} x");
        Assert.Equal("0", next.Do("produce")); // the dead one's lane
        next.Do("write 3 0 10");
        here.Do("read 3 0 10");
        EnvironmentRows.Shown(
            50, "CLOCK_MONOTONIC differs between participants (time namespaces)", "nothing: no time is handed from one process to another");
    }

    [Fact]
    public void A_time_of_day_that_jumps_by_decades_delays_nothing_and_ends_no_wait()
    {
        string library = NativeCode.Build("jump.c", "jump.so", "-fPIC", "-shared");
        using ScratchRoot root = new();
        (string, object)[] jumping = [(ChildProcess.ViaKey, (string[])["env", $"LD_PRELOAD={library}"])];
        using Party first = new(jumping);
        using Party second = new(jumping);
        int[] years = [.. Enumerable.Range(0, 8).Select(_ => Clock(first).Year)];
        _output.WriteLine($"years: {string.Join(' ', years)}");
        Assert.True(years.Max() - years.Min() > 20, "The time of day does not jump.");
        ExchangeAndWait(first, second, root.Path);
        EnvironmentRows.Shown(51, "the time of day jumps", "nothing: waits, timeouts and liveness do not know it");
    }

    private static void ExchangeAndWait(Party first, Party second, string root)
    {
        first.Do($"create {root} x");
        first.Do("produce");
        second.Do($"open {root} x");
        second.Do("consume");
        for (int i = 0; i < 5; i++)
        {
            second.Process.Send("await"); // sleeps meanwhile, in futex_waitv, whose end is a point in time
            Thread.Sleep(120); // more than two parks
            Assert.False(second.Process.HasSaid);
            first.Do($"write 1 {i * 100} 20");
            second.Process.Expect("ok");
            second.Do($"read 1 {i * 100} 20");
            second.Process.Send($"read 1 {(i * 100) + 20} 80"); // sleeps meanwhile, in futex
            Thread.Sleep(60);
            first.Do($"write 1 {(i * 100) + 20} 80");
            second.Process.Expect("ok");
        }

        foreach (Party party in (Party[])[second, first])
        {
            string[] times = party.Do("time-out 300").Split(' ');
            Assert.Equal("3", times[0]);
            Assert.InRange(double.Parse(times[1], CultureInfo.InvariantCulture), 850, 30_000);
        }

        Assert.Equal("1 1", first.Do("counts"));
    }

    private static (long Seconds, int Year) Clock(Party party)
    {
        string[] words = party.Do("clock").Split(' ');
        return (long.Parse(words[0], CultureInfo.InvariantCulture), int.Parse(words[1], CultureInfo.InvariantCulture));
    }
}
