// A shared value between real processes: writers that are killed at random instants, readers that check every byte.

using System.Globalization;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.ProcessTests.Roles;
using ShmIpc.Serialization;
using ShmIpc.Tests.Values;
using ShmIpc.Values;

namespace ShmIpc.ProcessTests;

public sealed class SharedValueTests(ITestOutputHelper output) : IDisposable
{
    private const int MaxValueBytes = 100_000;
    private const int FirstReader = 500; // writers count in the progress file at two numbers each, readers from here
    private static readonly int[] _lengths = [1, 64, 1_000, MaxValueBytes];
    private readonly ITestOutputHelper _output = output;
    private readonly ScratchRoot _root = new();
    private readonly ScratchRoot _aside = new();

    [Fact]
    public void A_killed_writer_leaves_a_whole_value_and_its_successor_goes_on()
    {
        Campaign campaign = new(_output);
        using ProgressFile progress = new(_aside.FileOf("progress"));
        using SharedValue<Pattern> value = Create();
        using ChildProcess polling = Reader(FirstReader, isWaiting: false);
        using ChildProcess waiting = Reader(FirstReader + 1, isWaiting: true);
        int deaths = Campaign.Rounds(200);
        int unacknowledged = 0;
        long last = 0;
        ChildProcess next = Writer(Counter(0), Length());
        for (int round = 0; round < deaths; round++)
        {
            int counter = Counter(round);
            using ChildProcess writer = next;
            (progress[counter], progress[counter + 1]) = (last, -1);
            writer.Send("go");
            next = Writer(Counter(round + 1), Length()); // it starts up while its predecessor works
            Thread.Sleep(campaign.Instant(TimeSpan.FromMilliseconds(20)));
            writer.Kill();

            string where = $"Round {round} (SHMIPC_SEED={campaign.Seed})";
            Assert.False(value.HasWriter, where);
            long acknowledged = progress[counter];
            Assert.True(progress[counter + 1] == last || progress[counter + 1] == -1, $"{where}: it began at {progress[counter + 1]}, not {last}");
            bool isThere = value.TryRead(out Pattern read, out long version);
            Assert.True(
                version == acknowledged || version == acknowledged + 1,
                $"{where}: the killed writer had written {acknowledged} values, and {version} is there.");
            if (isThere)
            {
                ValueRoles.Check(read, version, last);
            }

            unacknowledged += version == acknowledged ? 0 : 1;
            last = version;
        }

        next.Dispose();
        string[] seen = [End(polling), End(waiting)];
        _output.WriteLine($"{deaths} writers killed, {last} values written, in {unacknowledged} deaths one was written and not yet "
            + $"acknowledged; two readers saw {string.Join(" and ", seen)}");
        Assert.True(last > deaths);

        int Length() => _lengths[campaign.Random.Next(_lengths.Length)];

        static int Counter(int round) => round % ((FirstReader / 2) - 1) * 2;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(1_000)]
    [InlineData(MaxValueBytes)]
    public void Readers_in_other_processes_see_whole_values_only(int length)
    {
        using ProgressFile progress = new(_aside.FileOf("progress"));
        using SharedValue<Pattern> value = Create();
        using ChildProcess polling = Reader(FirstReader, isWaiting: false);
        using ChildProcess waiting = Reader(FirstReader + 1, isWaiting: true);
        using ChildProcess writer = Writer(0, length);
        writer.Send("go");
        Eventually.True(
            () => progress[0] > 1_000 && progress[FirstReader] > 100 && progress[FirstReader + 1] > 100, "writer and readers get on");
        Thread.Sleep(300);
        End(polling);
        End(waiting);
        writer.Kill();
    }

    [Fact]
    public void A_second_writer_is_refused_with_the_process_of_the_first_until_that_is_dead()
    {
        using ProgressFile progress = new(_aside.FileOf("progress"));
        using SharedValue<Pattern> value = Create();
        using ChildProcess writer = Writer(0, 64);
        writer.Send("go");
        Eventually.True(() => progress[0] > 0, "the writer works");
        Assert.True(value.HasWriter);
        writer.Stop(); // alive all the same
        ShmLimitException refused = Assert.Throws<ShmLimitException>(value.CreateWriter);
        Assert.Contains($"process {writer.Id}.", refused.Message, StringComparison.Ordinal);
        Assert.True(value.TryRead(out _, out long version));
        Assert.InRange(version, progress[0], progress[0] + 1);
        writer.Kill();
        using SharedValueWriter<Pattern> next = value.CreateWriter();
        Assert.Equal(version + 1, next.Write(new Pattern(1, 8)));
    }

    [Fact]
    public void Idle_waiters_cost_no_processor_time()
    {
        using SharedValue<Pattern> value = Create();
        using ChildProcess idler = ChildProcess.Start("value-idler", ("root", _root.Path), ("ms", 2_000));
        double usedMs = double.Parse(idler.Expect("used")[0], CultureInfo.InvariantCulture);
        _output.WriteLine($"eight idle waiters used {usedMs} ms of processor time in 2000 ms");
        Assert.True(usedMs < 500, $"Eight idle waiters used {usedMs} ms of processor time in 2000 ms.");
    }

    [Fact]
    public void Writing_and_reading_make_no_system_call_while_nobody_sleeps()
    {
        using SharedValue<Pattern> value = Create();
        using ChildProcess child = Silent();
        child.Send("go");
        child.Expect("silent");
    }

    [Fact]
    public void The_judge_notices_a_call_when_a_sleeper_must_be_woken()
    {
        using SharedValue<Pattern> value = Create();
        using ChildProcess child = Silent();
        Thread thread = new(() => value.WaitForChange(value.Version, ChildProcess.Patience));
        thread.Start();
        AwaitSleepingReader();
        child.Send("go");
        Assert.True(thread.Join(ChildProcess.Patience));
        Thread.Sleep(TimeSpan.FromSeconds(1));
        Assert.False(child.HasSaid, "The child woke a sleeper without a system call.");
    }

    public void Dispose()
    {
        _aside.Dispose();
        _root.Dispose();
    }

    private SharedValue<Pattern> Create() => SharedValue.Create(
        ValueRoles.Name, new PatternSerializer(), new SharedValueOptions { Root = _root.Path, MaxValueBytes = MaxValueBytes });

    private ChildProcess Writer(int counter, int length) => ChildProcess.StartReady(
        "value-writer", ("root", _root.Path), ("progress", _aside.FileOf("progress")), ("counter", counter), ("length", length));

    private ChildProcess Reader(int counter, bool isWaiting) => ChildProcess.StartReady(
        "value-reader",
        ("root", _root.Path), ("progress", _aside.FileOf("progress")), ("counter", counter), ("waiting", isWaiting ? 1 : 0));

    private ChildProcess Silent()
    {
        Assert.SkipUnless(Directory.Exists("/proc/sys/kernel/seccomp"), "This kernel has no seccomp to forbid system calls with.");
        ChildProcess child = ChildProcess.Start(
            "value-silent", ("root", _root.Path), ("DOTNET_TieredCompilation", 0), ("DOTNET_gcConcurrent", 0));
        child.Expect("warm");
        child.Expect("ready");
        return child;
    }

    /// <summary>Waits until somebody sleeps on a doorbell of the region, as its words say.</summary>
    private void AwaitSleepingReader()
    {
        PatternSerializer serializer = new();
        ValueRegion region = ValueRegion.Open(
            ValueRoles.Name, serializer.Format, ((IPayloadSerializer<Pattern>)serializer).Schema, new SharedValueOptions { Root = _root.Path });
        try
        {
            Eventually.True(() => region.Readers.AnyParked, "a reader goes to sleep");
        }
        finally
        {
            region.ReleaseReference();
        }
    }

    private static string End(ChildProcess reader)
    {
        reader.Send("stop");
        string seen = reader.Expect("done")[0];
        reader.ExpectEnd();
        return seen;
    }
}
