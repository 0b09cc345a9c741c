// Nobody who lives is declared dead, however long it stands still: a participant in each role, paused in each way for longer than
// anything in the library waits. Meanwhile the others take nothing of it away, and afterwards it goes on where it was.

using System.Diagnostics;
using System.Globalization;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.ProcessTests.Roles;
using ShmIpc.Tests.Values;
using ShmIpc.Values;

namespace ShmIpc.ProcessTests;

public sealed class PauseTests(ITestOutputHelper output) : IDisposable
{
    private const int Lane = 64 * 1024;
    private const int Reader = 100;
    private const int ValueBytes = 1_000;

    /// <summary>How long somebody waits in vain: a park, and more than one probe of a lock.</summary>
    private static readonly TimeSpan _vain = TimeSpan.FromMilliseconds(120);

    private readonly ITestOutputHelper _output = output;
    private readonly ScratchRoot _aside = new();
    private readonly List<IDisposable> _owned = [];

    [Theory]
    [InlineData(PauseWay.Signal, 2)]
    [InlineData(PauseWay.Debugger, 1)]
    [InlineData(PauseWay.Collection, 1)]
    public void Nothing_is_taken_from_who_stands_still(PauseWay way, int seconds) => Play(way, seconds, [
        ProducerInClaim(),
        ProducerInWrite(),
        ProducerWithoutRoom(),
        Consumer("stream-reader"),
        Consumer("stream-awaiter"),
        ActiveMember(),
        StandBy(),
        SharedMember(),
        LossyReader(),
        ValueWriter(),
    ]);

    [Theory]
    [InlineData(PauseWay.Signal, 1)]
    [InlineData(PauseWay.Collection, 1)]
    public void Nothing_is_taken_from_a_producer_whose_flusher_stands_still(PauseWay way, int seconds) =>
        Play(way, seconds, [ProducerWithFlusher()]);

    public void Dispose()
    {
        foreach (IDisposable owned in Enumerable.Reverse(_owned))
        {
            owned.Dispose();
        }

        _aside.Dispose();
    }

    /// <param name="way">How they are paused.</param>
    /// <param name="seconds">How long, and a second or so for each round of attempts.</param>
    /// <param name="parts">Who; all at once.</param>
    private void Play(PauseWay way, int seconds, PausedPart[] parts)
    {
        TimeSpan pause = Campaign.Rounds(1) * TimeSpan.FromSeconds(seconds);
        long start;
        using (Pause.Begin(way, [.. parts.Select(part => part.Child)], StallFile))
        {
            start = Stopwatch.GetTimestamp();
            Assert.All(parts, part => part.WhilePaused());
            TimeSpan left = pause - Stopwatch.GetElapsedTime(start);
            Thread.Sleep(left > TimeSpan.Zero ? left : TimeSpan.Zero);
            Assert.All(parts, part => part.WhilePaused());
            Assert.All(parts, part => Assert.False(part.Child.HasSaid));
        }

        TimeSpan paused = Stopwatch.GetElapsedTime(start);
        Assert.All(parts, part => part.Afterwards());
        _output.WriteLine($"{parts.Length} processes stood still for {paused.TotalSeconds:F1} s ({way})");
    }

    private PausedPart ProducerInClaim()
    {
        TestChannel test = Channel();
        ByteConsumer consumer = Own(test.Channel.CreateConsumer());
        ChildProcess child = Start(test, "claimant");
        return new("a producer with an open claim", child, WhilePaused, Afterwards);

        void WhilePaused()
        {
            ExpectLaneIsHeld(test, child);
            Assert.False(consumer.WaitToRead(_vain));
        }

        void Afterwards()
        {
            child.Send("end");
            child.Expect("done");
            Assert.Null(Message.Differs(consumer.Read(ChildProcess.Patience).Payload, 1, 0));
            Assert.False(consumer.WaitToRead(ChildProcess.Patience));
            child.ExpectEnd();
        }
    }

    private PausedPart ProducerInWrite()
    {
        TestChannel test = Channel(); // without a group: it never waits
        ChildProcess child = StartWriter(test);
        Eventually.True(() => test.Progress[1] > 1_000, "messages flow");
        StreamChecker checker = new(isLate: true);
        ByteConsumer? newcomer = null;
        long written = 0;
        return new("a producer that writes", child, WhilePaused, () => ExpectTheRest(test, child, newcomer!, checker));

        void WhilePaused()
        {
            written = newcomer is null ? test.Progress[1] : written;
            newcomer ??= Own(test.Channel.CreateConsumer()); // it joins a lane whose producer is anywhere
            checker.Drain(newcomer);
            Assert.InRange(checker.NextOf(1), written, written + 1);
            Assert.False(newcomer.WaitToRead(_vain));
            Assert.Equal(written, test.Progress[1]);
            ExpectLaneIsHeld(test, child);
        }
    }

    private PausedPart ProducerWithoutRoom()
    {
        TestChannel test = Channel();
        ByteConsumer consumer = Own(test.Channel.CreateConsumer());
        ChildProcess child = StartWriter(test);
        Eventually.True(() => test.Progress[1] > 0, "it writes");
        test.Settled(1);
        long? written = null;
        StreamChecker checker = new();
        return new("a producer that waits for room", child, WhilePaused, () => ExpectTheRest(test, child, consumer, checker));

        void WhilePaused()
        {
            written ??= test.Progress[1];
            checker.Drain(consumer); // there is room now, and nobody to hear of it
            Assert.InRange(checker.Total, written.Value, written.Value + 1);
            Assert.False(consumer.WaitToRead(_vain));
            Assert.Equal(written, test.Progress[1]);
            ExpectLaneIsHeld(test, child);
        }
    }

    private PausedPart Consumer(string role)
    {
        const int Before = 50;
        TestChannel test = Channel();
        ChildProcess child = Start(test, role, ("counter", Reader), ("late", 0));
        ByteProducer producer = Own(test.Channel.CreateProducer());
        long written = 0;
        for (; written < Before; written++)
        {
            Write(producer, written);
        }

        Eventually.True(() => test.Progress[Reader] == Before, "it reads");
        return new(role, child, WhilePaused, Afterwards);

        void WhilePaused()
        {
            Fill(producer, ref written);
            Assert.Equal(1, test.Channel.ConsumerCount);
            Assert.Equal(Before, test.Progress[Reader]);
        }

        void Afterwards()
        {
            for (int i = 0; i < 1_000; i++)
            {
                Write(producer, written++);
            }

            producer.TryComplete();
            Assert.Equal(Text(written), child.Expect("done")[0]);
            child.ExpectEnd();
        }
    }

    private PausedPart ActiveMember()
    {
        TestChannel test = Channel();
        ByteProducer producer = Own(test.Channel.CreateProducer());
        ChildProcess child = StartMember(test, producer, GroupKind.Exclusive);
        ByteConsumer standBy = Own(test.Channel.CreateConsumer(PausedRoles.Options(GroupKind.Exclusive)));
        long written = 1;
        return new("the active member of an exclusive group", child, WhilePaused, Afterwards);

        void WhilePaused()
        {
            Fill(producer, ref written);
            Assert.False(standBy.WaitToRead(_vain));
            Assert.False(standBy.TryRead(out _));
            Assert.False(standBy.IsActive);
            Assert.Equal(2, Assert.Single(test.Channel.Groups).Members.Count);
        }

        void Afterwards()
        {
            child.Send("end");
            Write(producer, written++);
            producer.TryComplete();
            Assert.Equal([Text(written), "0", Text(SumBelow(written))], child.Expect("done"));
            child.ExpectEnd();
            Assert.False(standBy.WaitToRead(ChildProcess.Patience)); // nothing is left for it
        }
    }

    private PausedPart StandBy()
    {
        TestChannel test = Channel();
        ByteProducer producer = Own(test.Channel.CreateProducer());
        ByteConsumer active = Own(test.Channel.CreateConsumer(PausedRoles.Options(GroupKind.Exclusive)));
        ChildProcess child = Start(test, "member", ("kind", GroupKind.Exclusive), ("held", 0));
        Write(producer, 0);
        Assert.Equal(0, active.Read(ChildProcess.Patience).Sequence); // and it is not acknowledged
        long written = 1;
        return new("a stand-by", child, WhilePaused, Afterwards);

        void WhilePaused()
        {
            active.Dispose(); // the group lives on with the one that stands still
            Fill(producer, ref written);
            Assert.Equal(child.Id, Assert.Single(Assert.Single(test.Channel.Groups).Members).ProcessId);
            Assert.Throws<ShmGroupException>(() => test.Channel.DeleteGroup(PausedRoles.GroupName));
        }

        void Afterwards()
        {
            Write(producer, written++);
            producer.TryComplete();
            Assert.Equal([Text(written), "1", Text(SumBelow(written))], child.Expect("done"));
            child.ExpectEnd();
        }
    }

    private PausedPart SharedMember()
    {
        TestChannel test = Channel();
        ByteProducer producer = Own(test.Channel.CreateProducer());
        ChildProcess child = StartMember(test, producer, GroupKind.Shared);
        ByteConsumer other = Own(test.Channel.CreateConsumer(PausedRoles.Options(GroupKind.Shared)));
        (long Read, long Repeated, long Sum) seen = default;
        long written = 1;
        return new("a member of a shared group, with a message in its hand", child, WhilePaused, Afterwards);

        void WhilePaused()
        {
            long most = written + (Lane / 8);
            do
            {
                Read(); // everything but the message that is held; the producer goes on until its ring comes around to that
                Assert.True(written <= most, "The message that is held is in nobody's way.");
            }
            while (TryWrite(producer, ref written));

            Fill(producer, ref written);
            Assert.False(other.WaitToRead(_vain));
            Assert.Equal(written - 1, seen.Read);
            Assert.Equal((2, 1), (Assert.Single(test.Channel.Groups).Members.Count, test.Channel.Groups[0].InFlight));
        }

        void Afterwards()
        {
            child.Send("end");
            for (int i = 0; i < 1_000; i++)
            {
                Read();
                Write(producer, written++);
            }

            producer.TryComplete();
            while (other.WaitToRead(ChildProcess.Patience))
            {
                Read();
            }

            long[] its = [.. child.Expect("done").Select(word => long.Parse(word, CultureInfo.InvariantCulture))];
            Assert.Equal((written, 0, SumBelow(written)), (seen.Read + its[0], seen.Repeated + its[1], seen.Sum + its[2]));
            child.ExpectEnd();
        }

        void Read()
        {
            while (other.TryRead(out ShmRecord record))
            {
                PausedRoles.Count(record, ref seen);
                other.Release();
            }
        }
    }

    private PausedPart LossyReader()
    {
        TestChannel test = Channel(fullMode: ShmFullMode.DropOldest);
        ChildProcess child = Start(test, "lossy-reader", ("counter", Reader), ("kind", "consumer"), ("pauses", 0));
        ByteProducer producer = Own(test.Channel.CreateProducer());
        long written = 0;
        Write(producer, written++);
        Eventually.True(() => test.Progress[Reader] == 1, "it reads");
        return new("a reader that may lose messages", child, WhilePaused, Afterwards);

        void WhilePaused()
        {
            for (int i = 0; i < 1_000; i++)
            {
                Assert.True(TryWrite(producer, ref written)); // it holds nobody back
            }

            Assert.Equal(1, test.Progress[Reader]);
            Assert.Equal(1, test.Channel.ConsumerCount);
        }

        void Afterwards()
        {
            producer.TryComplete();
            long[] its = [.. child.Expect("done").Select(word => long.Parse(word, CultureInfo.InvariantCulture))];
            Assert.Equal(written, its[0] + its[1]);
            Assert.InRange(its[0], 2, 1_000); // what came before, and what there was room for
            child.ExpectEnd();
        }
    }

    private PausedPart ValueWriter()
    {
        TestChannel test = Channel();
        SharedValue<Pattern> value = Own(SharedValue.Create(
            ValueRoles.Name, new PatternSerializer(), new SharedValueOptions { Root = test.Root, MaxValueBytes = ValueBytes }));
        ChildProcess child = Start(test, "value-writer", ("counter", 0), ("length", ValueBytes));
        child.Send("go");
        Eventually.True(() => test.Progress[0] > 1_000, "values flow");
        long last = 0;
        return new("the writer of a shared value", child, WhilePaused, Afterwards);

        void WhilePaused()
        {
            Assert.True(value.HasWriter);
            Assert.Contains($"process {child.Id}.", Assert.Throws<ShmLimitException>(value.CreateWriter).Message, StringComparison.Ordinal);
            ExpectWhole();
            Assert.InRange(last, test.Progress[0], test.Progress[0] + 1);
            Assert.False(value.WaitForChange(last, _vain));
        }

        void Afterwards()
        {
            long paused = last;
            Eventually.True(() => test.Progress[0] > paused + 1_000, "it goes on");
            ExpectWhole();
            child.Kill();
            Assert.InRange(value.Version, test.Progress[0], test.Progress[0] + 1); // it counted on from where it was
            Own(value.CreateWriter());
        }

        void ExpectWhole()
        {
            Assert.True(value.TryRead(out Pattern read, out long version));
            ValueRoles.Check(read, version, last);
            last = version;
        }
    }

    private PausedPart ProducerWithFlusher()
    {
        TestChannel test = Own(new TestChannel(Lane, maxProducers: 2, flush: ShmFlushMode.Async));
        ByteConsumer consumer = Own(test.Channel.CreateConsumer());
        ChildProcess child = StartWriter(test);
        StreamChecker checker = new();
        while (checker.NextOf(1) < 1_000)
        {
            checker.DrainSome(consumer);
            consumer.WaitToRead(ChildProcess.Patience);
        }

        ByteProducer other = Own(test.Channel.CreateProducer());
        long written = 0;
        return new("a producer whose thread flushes in the background", child, WhilePaused, Afterwards);

        void WhilePaused()
        {
            checker.Drain(consumer);
            long seen = checker.NextOf(1);
            byte[] payload = new byte[Message.Length(2, written)];
            Message.Fill(payload, 2, written++);
            other.Write(payload, ChildProcess.Patience);
            other.Flush(); // the disk waits for nobody either
            checker.Drain(consumer);
            Assert.Equal((seen, written), (checker.NextOf(1), checker.NextOf(2)));
            ExpectLaneIsHeld(test, child);
        }

        void Afterwards()
        {
            other.TryComplete();
            ExpectTheRest(test, child, consumer, checker);
        }
    }

    /// <summary>The writer goes on, and then ends; the consumer gets every message up to the last, in order.</summary>
    private static void ExpectTheRest(TestChannel test, ChildProcess writer, ByteConsumer consumer, StreamChecker checker)
    {
        long until = checker.NextOf(1) + 1_000;
        while (consumer.WaitToRead(ChildProcess.Patience))
        {
            checker.DrainSome(consumer);
            test.Progress[StreamRoles.StopCounter] = checker.NextOf(1) >= until ? 1 : 0;
        }

        Assert.Equal(writer.Expect("done")[0], Text(checker.NextOf(1)));
        writer.ExpectEnd();
    }

    /// <summary>The lane of the process is refused to others, by its name.</summary>
    private static void ExpectLaneIsHeld(TestChannel test, ChildProcess holder)
    {
        ShmLimitException refused = Assert.Throws<ShmLimitException>(test.Channel.CreateProducer);
        Assert.Contains(Text(holder.Id), refused.Message, StringComparison.Ordinal);
    }

    /// <summary>Writes until there is no room, and waits for some in vain.</summary>
    private static void Fill(ByteProducer producer, ref long number)
    {
        long most = number + (Lane / 8);
        while (TryWrite(producer, ref number))
        {
            Assert.True(number <= most, "The producer waits for nobody.");
        }

        byte[] payload = Payload(number);
        Assert.Throws<TimeoutException>(() => producer.Write(payload, _vain));
    }

    private static bool TryWrite(ByteProducer producer, ref long number)
    {
        bool isWritten = producer.TryWrite(Payload(number));
        number += isWritten ? 1 : 0;
        return isWritten;
    }

    private static void Write(ByteProducer producer, long number) => producer.Write(Payload(number), ChildProcess.Patience);

    private static byte[] Payload(long number)
    {
        byte[] payload = new byte[Message.Length(1, number)];
        Message.Fill(payload, 1, number);
        return payload;
    }

    private static long SumBelow(long count) => count * (count - 1) / 2;

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private TestChannel Channel(ShmFullMode? fullMode = null) => Own(new TestChannel(Lane, fullMode: fullMode));

    private ChildProcess StartWriter(TestChannel test)
    {
        ChildProcess child = Start(test, "stream-writer", ("id", 1), ("mode", "copy"), ("count", long.MaxValue));
        child.Send("go");
        return child;
    }

    /// <summary>A member that holds message 0.</summary>
    private ChildProcess StartMember(TestChannel test, ByteProducer producer, GroupKind kind)
    {
        Write(producer, 0);
        return Start(test, "member", ("kind", kind), ("held", 1));
    }

    private ChildProcess Start(TestChannel test, string role, params IEnumerable<(string Key, object Value)> arguments) =>
        test.Start(role, [(CollectionStall.Key, StallFile), .. arguments]);

    private string StallFile => _aside.FileOf("stall");

    private T Own<T>(T owned)
        where T : IDisposable
    {
        _owned.Add(owned);
        return owned;
    }
}
