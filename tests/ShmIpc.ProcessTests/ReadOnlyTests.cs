// A consumer cannot change what it reads, nor read beside it.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.ProcessTests.Roles;
using ShmIpc.Regions;

namespace ShmIpc.ProcessTests;

public sealed class ReadOnlyTests(ITestOutputHelper output)
{
    private readonly ITestOutputHelper _output = output;

    public static TheoryData<string, ShmFullMode, bool> Ways
    {
        get
        {
            TheoryData<string, ShmFullMode, bool> ways = [];
            foreach (string way in MappedReaderRole.Ways)
            {
                ways.Add(way, ShmFullMode.Wait, false);
            }

            ways.Add("broadcast", ShmFullMode.DropOldest, false);
            ways.Add("exclusive", ShmFullMode.Wait, true); // on a disk
            return ways;
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void Whoever_only_reads_has_the_lanes_read_only_between_guard_pages_and_dies_alone_when_it_writes(
        string way, ShmFullMode fullMode, bool isOnDisk)
    {
        using TestChannel test = new(64 * 1024, fullMode: fullMode, flush: isOnDisk ? ShmFlushMode.Async : null);
        using ByteConsumer active = test.Channel.CreateConsumer();
        using ByteProducer producer = test.Channel.CreateProducer();
        ChildProcess child = StartReader(test, producer, way, "write");
        IsReadOnlyAndGuarded(child);
        Dies(child);
        for (int i = 0; i < 1_000; i++)
        {
            producer.Write([1, 2, 3], ChildProcess.Patience);
            active.Read(ChildProcess.Patience);
        }
    }

    [Theory]
    [InlineData("read-before")]
    [InlineData("read-behind")]
    public void A_read_one_byte_outside_of_a_lane_ends_the_process(string where)
    {
        using TestChannel test = new(64 * 1024);
        using ByteProducer producer = test.Channel.CreateProducer();
        ChildProcess child = StartReader(test, producer, "broadcast", where);
        IsReadOnlyAndGuarded(child);
        Dies(child);
    }

    [Fact]
    public void A_consumer_that_writes_into_a_message_dies_alone()
    {
        using TestChannel test = new(64 * 1024);
        using ByteConsumer consumer = test.Channel.CreateConsumer();
        ChildProcess reader = test.StartReader(100);
        ChildProcess scribbler = test.Start("scribbler");
        ChildProcess writer = test.StartWriter(1);
        writer.Send("go");
        scribbler.Send("go");
        StreamChecker checker = new();
        Eventually.True(() => Reading(scribbler.HasExited), "the scribbler dies");
        int code = scribbler.WaitForExit();
        Assert.True(code is 128 + Linux.SIGSEGV or 128 + Linux.SIGABRT, $"It ended with code {code}.");
        Assert.False(scribbler.HasSaid);

        long before = test.Progress[1];
        Eventually.True(() => Reading(test.Progress[1] > before + 1000), "the producer goes on");
        writer.Kill();
        checker.Drain(consumer);
        Eventually.True(() => test.Progress[100] == checker.Total, "the other consumer sees the same");
        _output.WriteLine($"exit code {code}; {checker.Total} messages seen by the others");

        bool Reading(bool isOver)
        {
            checker.DrainSome(consumer);
            return isOver;
        }
    }

    /// <summary>A child that reads in that way what it is sent, says how it is mapped, and then does what it should not.</summary>
    private static ChildProcess StartReader(TestChannel test, ByteProducer producer, string way, string then)
    {
        string path = Path.Combine(test.Root, TestChannel.Name);
        using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        RegionHeader header = RegionHeader.Read(file, RandomAccess.GetLength(file), path);
        ChildProcess child = test.Start(
            "mapped-reader", ("way", way), ("then", then), ("data", header.Section(SectionKind.LaneData).Offset));
        for (int i = 0; i < 20; i++)
        {
            producer.Write([1, 2, 3], ChildProcess.Patience);
        }

        return child;
    }

    /// <summary>One lane, mapped twice in a row, both times read-only; and a guard page at each end of everything.</summary>
    private static void IsReadOnlyAndGuarded(ChildProcess child) => Assert.Equal(["2", "2", "0"], child.Expect("mapped"));

    private static void Dies(ChildProcess child)
    {
        int code = child.WaitForExit();
        Assert.True(code is 128 + Linux.SIGSEGV or 128 + Linux.SIGABRT, $"It ended with code {code}.");
        Assert.False(child.HasSaid);
    }
}
