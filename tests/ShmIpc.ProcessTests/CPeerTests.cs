// A peer in C (interop/c/shmipc.h), written from docs/memory-layout.md alone: messages both ways, deaths on both sides, take-over of each
// other's lanes, sleeping and waking, deletion, and what it refuses.

using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using System.Threading.Channels;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests;

public sealed class CPeerTests(ITestOutputHelper output)
{
    private const int FirstReader = 500;
    private const int Million = 1_000_000;
    private readonly ITestOutputHelper _output = output;

    [Theory]
    [InlineData("gcc", "-std=c11")]
    [InlineData("clang", "-std=c11")]
    [InlineData("g++", "-std=c++11", "-x", "c++")]
    public void The_header_and_the_examples_compile_without_a_warning(string compiler, params string[] options)
    {
        CPeer.Compilers(compiler);
        foreach (string example in (string[])["send", "receive"])
        {
            string complaints = CPeer.Compile(
                compiler,
                [.. options, "-Wall", "-Wextra", "-Werror", "-pedantic", "-O2", "-fsyntax-only", Path.Combine(CPeer.Folder, "examples", example + ".c")]);
            Assert.Equal("", complaints);
        }
    }

    [Theory]
    [InlineData("copy")]
    [InlineData("claim")]
    public void A_million_messages_come_from_C(string mode)
    {
        using TestChannel test = new(64 * 1024);
        using ByteConsumer consumer = test.Channel.CreateConsumer();
        StreamChecker checker = new();
        ChildProcess writer = StartWriter(test, CPeer.Program, 1, Million, mode);
        long start = Stopwatch.GetTimestamp();
        writer.Send("go");
        Read(consumer, checker, Million);
        Report(Million, start);
        writer.Expect("done");
        writer.ExpectEnd();
        Assert.False(consumer.WaitToRead(ChildProcess.Patience));
        Assert.True(consumer.Completion.IsCompletedSuccessfully);
    }

    [Fact]
    public void A_million_messages_go_to_C()
    {
        using TestChannel test = new(64 * 1024);
        ChildProcess reader = StartReader(test, CPeer.Program, FirstReader);
        long start = Stopwatch.GetTimestamp();
        using (ByteProducer producer = test.Channel.CreateProducer())
        {
            Write(producer, 1, 0, Million);
            producer.TryComplete();
        }

        Assert.Equal(Million.ToString(CultureInfo.InvariantCulture), reader.Expect("done")[0]);
        Report(Million, start);
        reader.ExpectEnd();
    }

    [Fact]
    public void Messages_cross_under_the_sanitizers()
    {
        const int Count = 50_000;
        using TestChannel test = new(16 * 1024); // many laps
        ChildProcess reader = StartReader(test, CPeer.Sanitized, FirstReader);
        ChildProcess writer = StartWriter(test, CPeer.Sanitized, 1, Count, "claim");
        using ByteConsumer consumer = test.Channel.CreateConsumer();
        writer.Send("go");
        Read(consumer, new StreamChecker(), Count);
        writer.Expect("done");
        writer.ExpectEnd();
        Assert.Equal(Count.ToString(CultureInfo.InvariantCulture), reader.Expect("done")[0]);
        reader.ExpectEnd();
    }

    [Fact]
    public void Two_producers_of_each_language_reach_consumers_of_both()
    {
        const int Count = 100_000;
        using TestChannel test = new(64 * 1024, maxProducers: 5);
        using ByteConsumer consumer = test.Channel.CreateConsumer();
        using ByteProducer idle = test.Channel.CreateProducer(); // the first may have completed before the last has joined
        ChildProcess reader = StartReader(test, CPeer.Program, FirstReader);
        ChildProcess[] writers =
        [
            StartWriter(test, CPeer.Program, 1, Count), StartWriter(test, CPeer.Program, 2, Count, "claim"),
            test.StartWriter(3, count: Count), test.StartWriter(4, "claim", Count),
        ];
        foreach (ChildProcess writer in writers)
        {
            writer.Send("go");
        }

        StreamChecker checker = new();
        Read(consumer, checker, Count * writers.Length);
        Assert.All([1, 2, 3, 4], id => Assert.Equal(Count, checker.NextOf(id)));
        foreach (ChildProcess writer in writers)
        {
            writer.Expect("done");
            writer.ExpectEnd();
        }

        Eventually.True(() => test.Progress[FirstReader] == checker.Total, "the C consumer sees everything");
    }

    [Fact]
    public void Producers_killed_at_random_instants_are_continued_by_the_other_language()
    {
        Campaign campaign = new(_output);
        using TestChannel test = new(64 * 1024); // one lane: the successor continues exactly what the dead one left
        using ByteConsumer consumer = test.Channel.CreateConsumer();
        ChildProcess reader = StartReader(test, CPeer.Program, FirstReader);
        StreamChecker checker = new();
        int deaths = Campaign.Rounds(40);
        int inFlight = 0;
        ChildProcess next = Producer(0);
        for (int round = 0; round < deaths; round++)
        {
            int id = Id(round);
            using ChildProcess producer = next;
            test.Progress[id] = 0;
            producer.Send("go");
            next = Producer(round + 1);
            checker.ReadFor(consumer, campaign.Instant(TimeSpan.FromMilliseconds(15)), isReading: campaign.Random.Next(4) != 0);
            producer.Kill();
            checker.Drain(consumer);
            long committed = test.Progress[id];
            long seen = checker.NextOf(id);
            inFlight += seen == committed ? 0 : 1;
            Assert.True(
                seen == committed || seen == committed + 1,
                $"Round {round} (SHMIPC_SEED={campaign.Seed}): {producer} had committed {committed} messages, and {seen} came.");
            checker.Forget(id);
        }

        next.Kill();
        Eventually.True(() => test.Progress[FirstReader] == checker.Total || reader.HasExited, "the C consumer sees the same");
        Assert.False(reader.HasExited, "The C consumer ended.");
        _output.WriteLine($"{deaths} producers killed, {checker.Total} messages, {inFlight} committed and not yet acknowledged");

        // C, C, C#, C#, C, ...: each is continued by its own kind and by the other.
        ChildProcess Producer(int round) => (round / 2 % 2 == 0)
            ? StartWriter(test, CPeer.Program, Id(round), mode: round % 2 == 0 ? "claim" : "copy")
            : test.StartWriter(Id(round), round % 2 == 0 ? "claim" : "copy");

        static int Id(int round) => round % (FirstReader - 1);
    }

    [Fact]
    public void A_C_consumer_killed_at_any_instant_does_not_stop_a_producer()
    {
        Campaign campaign = new(_output);
        using TestChannel test = new(16 * 1024, maxGroups: 3);
        using ByteProducer producer = test.Channel.CreateProducer();
        int deaths = Campaign.Rounds(30);
        long number = 0;
        for (int round = 0; round < deaths; round++)
        {
            using ChildProcess reader = StartReader(test, CPeer.Program, FirstReader, isLate: true);
            long start = Stopwatch.GetTimestamp();
            TimeSpan time = campaign.Instant(TimeSpan.FromMilliseconds(15));
            do
            {
                Write(producer, 1, number++, number);
            }
            while (Stopwatch.GetElapsedTime(start) < time);
            Assert.False(reader.HasExited, "The C consumer ended by itself.");
            reader.Kill();
            Write(producer, 1, number, number += 200); // more than the lane holds: the dead one's group is in the way, and is retired
        }

        Assert.Equal(0, test.Channel.ConsumerCount);
        _output.WriteLine($"{deaths} consumers killed, {number} messages");
    }

    [Fact]
    public void A_consumer_killed_at_any_instant_does_not_stop_a_C_producer()
    {
        Campaign campaign = new(_output);
        using TestChannel test = new(16 * 1024, maxGroups: 3);
        ChildProcess producer = StartWriter(test, CPeer.Program, 1);
        producer.Send("go");
        for (int round = 0; round < Campaign.Rounds(10); round++)
        {
            using ChildProcess reader = test.StartReader(FirstReader, isLate: true);
            using ChildProcess native = StartReader(test, CPeer.Program, FirstReader + 1, isLate: true);
            Thread.Sleep(campaign.Instant(TimeSpan.FromMilliseconds(15)));
            reader.Kill();
            native.Kill();
            long before = test.Progress[1];
            Eventually.True(() => test.Progress[1] > before + 1000 || producer.HasExited, "the C producer goes on");
        }

        producer.Kill();
    }

    [Fact]
    public void A_sleeping_C_peer_is_woken()
    {
        // Its sleeps last far longer than the test's patience: each round would fail without a wake-up.
        using TestChannel test = new(16 * 1024);
        using ByteConsumer consumer = test.Channel.CreateConsumer();
        StreamChecker checker = new();
        ChildProcess writer = StartWriter(test, CPeer.SoundSleeper, 1);
        writer.Send("go");
        for (int round = 0; round < 10; round++)
        {
            long written = test.Settled(1); // the lane is full, and the producer sleeps
            checker.DrainSome(consumer);
            Eventually.True(() => test.Progress[1] > written, "the C producer is woken");
        }

        writer.Kill();
        checker.Drain(consumer);
        ChildProcess reader = StartReader(test, CPeer.SoundSleeper, FirstReader, isLate: true);
        using ByteProducer producer = test.Channel.CreateProducer();
        checker.Drain(consumer);
        for (int round = 0; round < 10; round++)
        {
            long read = test.Settled(FirstReader); // it has read everything, and sleeps
            Write(producer, 2, round, round + 1);
            Eventually.True(() => test.Progress[FirstReader] == read + 1, "the C consumer is woken");
        }

        producer.TryComplete();
        reader.Expect("done");
    }

    [Fact]
    public async Task A_C_peer_wakes_those_who_sleep()
    {
        using TestChannel test = new(16 * 1024, wait: Waiting.WaitStrategy.Park);
        ChildProcess writer = test.StartWriter(1);
        ChildProcess peer = Obedient(test, CPeer.Program);
        Assert.Equal("0", Ask(peer, "consumer"));
        writer.Send("go");
        for (int round = 0; round < 10; round++)
        {
            long written = test.Settled(1);
            uint bell = RungBells(test);
            for (int i = 0; i < 20; i++)
            {
                Ask(peer, "read 0"); // somebody sleeps, so each gives the one before it back
            }

            Assert.True(RungBells(test) > bell, "The C consumer gave room back and woke nobody.");
            Eventually.True(() => Reading(test.Progress[1] > written), "the producer goes on");
        }

        writer.Kill();
        Assert.Equal("0", Ask(peer, "leave"));
        Assert.Equal("0", Ask(peer, "open"));
        Assert.Equal("0", Ask(peer, "producer"));
        using ByteConsumer consumer = test.Channel.CreateConsumer();
        new StreamChecker(isLate: true).Drain(consumer);
        RegionBytes region = new(test);
        for (int round = 0; round < 10; round++)
        {
            Task<bool> sleeper = Task.Run(() => consumer.WaitToRead(ChildProcess.Patience));
            Eventually.True(() => region.U64(region.Section(2)) != 0, "the consumer goes to sleep");
            uint bell = RungBells(test);
            Assert.Equal("0", Ask(peer, "write 100 0"));
            Assert.True(RungBells(test) > bell, "The C producer published and woke nobody.");
            Assert.True(await sleeper.WaitAsync(ChildProcess.Patience));
            Assert.Equal(100, consumer.Read(ChildProcess.Patience).Payload.Length);
        }

        bool Reading(bool isOver)
        {
            Ask(peer, "read 0");
            return isOver;
        }
    }

    [Fact]
    public void Every_length_up_to_the_largest_crosses_and_no_larger()
    {
        using TestChannel test = new(4096);
        int most = test.Channel.MaxMessageBytes;
        using ByteConsumer consumer = test.Channel.CreateConsumer();
        ChildProcess peer = Obedient(test, CPeer.Sanitized);
        Assert.Equal("0", Ask(peer, "consumer"));
        Assert.Equal("0", Ask(peer, "producer"));
        int[] lengths = [0, 1, 7, 8, 9, most - 9, most - 8, most - 1, most];
        foreach (int length in lengths)
        {
            Assert.Equal("0", Ask(peer, $"write {length} 0"));
            Assert.Equal($"0 {length}", Ask(peer, "read 0"));
            Assert.Equal("0", Ask(peer, "release"));
            byte[] expected = new byte[length];
            Message.Fill(expected, 1, length);
            Assert.Equal(expected, consumer.Read(ChildProcess.Patience).Payload);
            consumer.Release();
        }

        Assert.Equal(Error.MessageSize, Ask(peer, $"write {most + 1} 0"));
        Assert.Equal(Error.TryAgain, Ask(peer, "read 0").Split(' ')[0]);
        Assert.Equal("0", Ask(peer, "leave"));

        using ByteProducer producer = test.Channel.CreateProducer();
        Assert.Equal("0", Ask(peer, "open"));
        Assert.Equal("0", Ask(peer, "consumer"));
        while (Ask(peer, "read 0").StartsWith("0 ", StringComparison.Ordinal))
        {
        }

        Assert.Equal("0", Ask(peer, "release"));
        foreach (int length in lengths)
        {
            byte[] payload = new byte[length];
            Message.Fill(payload, 1, length);
            producer.Write(payload, ChildProcess.Patience);
            Assert.Equal($"0 {length}", Ask(peer, "read 1000"));
            Assert.Equal("0", Ask(peer, "release"));
            _ = consumer.Read(ChildProcess.Patience);
            consumer.Release();
        }
    }

    [Fact]
    public void A_full_lane_is_full_for_C_too_and_its_consumer_may_be_C()
    {
        using TestChannel test = new(4096);
        ChildProcess peer = Obedient(test, CPeer.Program);
        Assert.Equal("0", Ask(peer, "producer"));
        using ByteConsumer consumer = test.Channel.CreateConsumer();
        int written = 0;
        for (; Ask(peer, "write 1000 0") == "0"; written++)
        {
            Assert.True(written < 4);
        }

        Assert.Equal(Error.TryAgain, Ask(peer, "write 1000 100"));
        for (int i = 0; i < written; i++)
        {
            Assert.Equal(1000, consumer.Read(ChildProcess.Patience).Payload.Length);
        }

        consumer.Release();
        Assert.Equal("0", Ask(peer, "write 1000 0"));
    }

    [Fact]
    public void Faults_cross_both_ways()
    {
        using TestChannel test = new(16 * 1024);
        ChildProcess peer = Obedient(test, CPeer.Program);
        using ByteConsumer consumer = test.Channel.CreateConsumer();
        Assert.Equal("0", Ask(peer, "producer"));
        Assert.Equal("0", Ask(peer, "complete ValveError stuck"));
        Assert.Equal(Error.BrokenPipe, Ask(peer, "write 1 0"));
        Assert.Equal("0", Ask(peer, "leave"));
        ChannelClosedException closed = Assert.Throws<ChannelClosedException>(() => consumer.Read(ChildProcess.Patience));
        ShmRemoteException remote = Assert.IsType<ShmRemoteException>(closed.InnerException);
        Assert.Contains("ValveError", remote.ToString(), StringComparison.Ordinal);
        Assert.Contains("stuck", remote.Message, StringComparison.Ordinal);

        Assert.Equal("0", Ask(peer, "open"));
        Assert.Equal("0", Ask(peer, "consumer"));
        using (ByteProducer producer = test.Channel.CreateProducer())
        {
            producer.TryComplete(new InvalidOperationException("no more steam"));
        }

        Assert.Equal(Error.Remote, Ask(peer, "read 10000").Split(' ')[0]);
        Assert.Equal("System.InvalidOperationException: no more steam", Ask(peer, "fault"));
    }

    [Fact]
    public void Deletion_is_noticed_by_both()
    {
        using TestChannel test = new(4096);
        ChildProcess reader = Obedient(test, CPeer.SoundSleeper);
        Assert.Equal("0", Ask(reader, "consumer"));
        ChildProcess writer = Obedient(test, CPeer.SoundSleeper);
        Assert.Equal("0", Ask(writer, "producer"));
        while (Ask(writer, "write 1000 0") == "0")
        {
        }

        writer.Send("write 1000 -1");
        while (Ask(reader, "read 0").StartsWith("0 ", StringComparison.Ordinal))
        {
        }

        reader.Send("read -1");
        writer.Expect("is"); // the reader made room
        while (Ask(writer, "write 1000 0") == "0")
        {
        }

        writer.Send("write 1000 -1");
        reader.Expect("is");
        Thread.Sleep(100); // the writer sleeps for an hour now, unless woken
        Assert.True(ShmChannel.Delete(TestChannel.Name, test.Root));
        Assert.Equal(Error.Removed, writer.Expect("is")[0]);
        Assert.Equal(Error.Removed, Ask(reader, "read -1").Split(' ')[0]);
    }

    [Fact]
    public void An_intent_holds_a_C_producer_back_until_it_is_cleared()
    {
        using TestChannel test = new(4096, maxProducers: 2);
        RegionBytes region = new(test);
        long participants = region.Section(1);
        long control = region.Section(3);
        int slot = (int)region.U32(256 + 4) - 1; // the last, which nobody takes
        const ulong Deliveries = 2;
        ulong Intent(ulong lane, ulong position) => lane | Deliveries << 5 | ((position >> 3) + 1) << 8;

        ChildProcess peer = Obedient(test, CPeer.Program);
        using ByteConsumer consumer = test.Channel.CreateConsumer(); // group 0, which keeps up
        Assert.Equal("0", Ask(peer, "producer"));
        Assert.True(WritesAndReads());
        Assert.True(WritesAndReads());
        region.SetU64(participants + (slot * 256) + 24, 1);
        region.SetU64(participants + (slot * 256) + 128 + 8, Intent(0, 1008)); // the second message; a claim of another lane says nothing
        region.SetU64(participants + (slot * 256) + 128 + 16, Intent(1, 0));
        region.SetU64(control + 512 + (slot / 64 * 8), 1UL << (slot % 64));
        int written = 2;
        for (; WritesAndReads(); written++)
        {
            Assert.True(written < 10, "The intent did not hold the producer back.");
        }

        Assert.Equal(5, written); // 1008 + 4096 has room for four records and a terminator behind position 1008
        region.SetU64(participants + (slot * 256) + 24, 2); // of a group that there is not
        Assert.True(WritesAndReads());

        bool WritesAndReads()
        {
            if (Ask(peer, "write 1000 0") != "0")
            {
                return false;
            }

            Assert.Equal(1000, consumer.Read(ChildProcess.Patience).Payload.Length);
            consumer.Release();
            return true;
        }
    }

    [Fact]
    public void A_C_producer_waits_for_members_of_shared_groups_until_they_have_acknowledged_or_gone()
    {
        using TestChannel test = new(4096);
        ChildProcess peer = Obedient(test, CPeer.Sanitized);
        Assert.Equal("0", Ask(peer, "producer"));
        ConsumerOptions options = new() { Group = "work", Kind = GroupKind.Shared, Acknowledge = AcknowledgeMode.Manual };
        using ByteConsumer fast = test.Channel.CreateConsumer(options);
        for (int round = 0; round < 3; round++)
        {
            using ByteConsumer slow = test.Channel.CreateConsumer(options);
            Assert.Equal("0", Ask(peer, "write 1000 0"));
            long held = slow.Read(ChildProcess.Patience).Position;
            for (int written = 0; Ask(peer, "write 1000 0") == "0"; written++)
            {
                Assert.True(written < 10, "The message that a member works on was overwritten.");
                Assert.NotEqual(held, fast.Read(ChildProcess.Patience).Position);
                fast.Release();
            }

            slow.Dispose(); // the other one gets what this one did not acknowledge
            Assert.Equal(held, fast.Read(ChildProcess.Patience).Position);
            Assert.Equal(Error.TryAgain, Ask(peer, "write 1000 50"));
            fast.Release();
            Assert.Equal("0", Ask(peer, "write 1000 10000"));
            _ = fast.Read(ChildProcess.Patience);
            fast.Release();
        }

        fast.Dispose(); // nobody of the group is left
        for (int written = 0; written < 10; written++)
        {
            Assert.Equal("0", Ask(peer, "write 1000 10000"));
        }
    }

    [Theory]
    [InlineData(0, 1, Error.Protocol)] // magic
    [InlineData(8, 3, Error.Version)] // major
    [InlineData(10, 7, "0")] // a later minor version is welcome
    [InlineData(21, 0x20, Error.Protocol)] // page size
    [InlineData(30, 1, Error.Protocol)] // total bytes
    [InlineData(80, 2, Error.Format)] // kind
    [InlineData(84, 6, Error.Protocol)] // section count
    [InlineData(88, 1, Error.Format)] // schema
    [InlineData(97, 'B', Error.Format)] // payload format
    [InlineData(260, 3, Error.Protocol)] // max participants
    [InlineData(256 + (5 * 32) + 8, 0x40, Error.Protocol)] // offset of the cursors
    [InlineData(256 + (6 * 32) + 26, 1, Error.Protocol)] // capacity
    [InlineData(2048, 3, Error.Protocol)] // state
    [InlineData(2048, 2, Error.Removed)] // its deleter died
    [InlineData(1000, 1, "0")] // behind the last section
    public void A_header_that_it_does_not_know_is_refused(int offset, byte value, string expected)
    {
        using TestChannel test = new(4096);
        RegionBytes region = new(test);
        ChildProcess peer = test.Start("obey", (ChildProcess.ProgramKey, CPeer.Sanitized));
        region.SetByte(offset, value);
        if (offset is < 2044 and not 8)
        {
            Assert.Equal(Error.Protocol, Ask(peer, "open")); // the checksum speaks before all but the version
        }

        region.SealHeader();
        Assert.Equal(expected, Ask(peer, "open"));
    }

    [Theory]
    [InlineData(0, 1, Error.NotSupported, "0")] // DropWrite
    [InlineData(0, 2, Error.NotSupported, Error.NotSupported)] // DropOldest
    [InlineData(1, 100, Error.NotSupported, Error.NotSupported)] // EvictAfter
    [InlineData(2, 2, Error.NotSupported, "0")] // flush
    [InlineData(4, 1, Error.NotSupported, "0")] // checksums
    [InlineData(31, 1, Error.NotSupported, Error.NotSupported)] // whatever that will be
    public void Settings_that_it_does_not_keep_are_refused(int setting, byte value, string producer, string consumer)
    {
        using TestChannel test = new(4096);
        RegionBytes region = new(test);
        region.SetByte(1280 + (8 * setting), value);
        region.SealHeader();
        ChildProcess peer = Obedient(test, CPeer.Program);
        Assert.Equal(producer, Ask(peer, "producer"));
        Assert.Equal(consumer, Ask(peer, "consumer"));
    }

    [Fact]
    public void A_C_peer_survives_whatever_stands_in_shared_memory()
    {
        Campaign campaign = new(_output);
        Random random = campaign.Random;
        long scribbles = 0;
        long written = 0;
        long read = 0;
        for (int region = 0; region < Campaign.Rounds(12); region++) // each soon is a ruin
        {
            using TestChannel test = new(4096, maxProducers: 3, maxGroups: 3);
            RegionBytes bytes = new(test);
            using ChildProcess peer = test.Start("survive", (ChildProcess.ProgramKey, CPeer.Sanitized), ("counter", 1), ("rounds", 10));
            Eventually.True(
                () =>
                {
                    for (int i = 0; i < 100 && !peer.HasExited; i++, scribbles++)
                    {
                        Scribble(bytes);
                    }

                    return peer.HasExited;
                },
                "the C peer comes to its end",
                5 * ChildProcess.Patience); // thousands of timeouts of a millisecond or two
            string[] counts = peer.Expect("done");
            peer.ExpectEnd();
            written += long.Parse(counts[0], CultureInfo.InvariantCulture);
            read += long.Parse(counts[1], CultureInfo.InvariantCulture);
        }

        _output.WriteLine($"{scribbles} words scribbled over, {written} messages written and {read} read all the same");

        // Mostly the control part behind the header; sometimes the lanes.
        void Scribble(RegionBytes bytes)
        {
            long offset = random.NextInt64(4096, random.Next(4) == 0 ? bytes.Length : bytes.Section(7)) & ~7L;
            ulong old = bytes.U64(offset);
            bytes.SetU64(offset, random.Next(4) switch
            {
                0 => old + (ulong)random.Next(-64, 64),
                1 => old ^ (1UL << random.Next(64)),
                2 => (ulong)random.NextInt64(),
                _ => (ulong)random.Next(5000),
            });
        }
    }

    private static ChildProcess StartWriter(
        TestChannel test, string program, int id, long count = long.MaxValue - 1000, string mode = "copy") => test.Start(
            "stream-writer", (ChildProcess.ProgramKey, program), ("id", id), ("mode", mode), ("count", count));

    private static ChildProcess StartReader(TestChannel test, string program, int counter, bool isLate = false) => test.Start(
        "stream-reader", (ChildProcess.ProgramKey, program), ("counter", counter), ("late", isLate ? 1 : 0));

    /// <summary>A C peer that does what it is told, with the channel open.</summary>
    private static ChildProcess Obedient(TestChannel test, string program)
    {
        ChildProcess peer = test.Start("obey", (ChildProcess.ProgramKey, program));
        Assert.Equal("0", Ask(peer, "open"));
        return peer;
    }

    private static string Ask(ChildProcess peer, string command)
    {
        peer.Send(command);
        return string.Join(' ', peer.Expect("is"));
    }

    private static void Write(ByteProducer producer, long id, long from, long to)
    {
        Span<byte> payload = stackalloc byte[Message.MaxBytes];
        for (long number = from; number < to; number++)
        {
            Span<byte> message = payload[..Message.Length(id, number)];
            Message.Fill(message, id, number);
            producer.Write(message, ChildProcess.Patience);
        }
    }

    private static void Read(ByteConsumer consumer, StreamChecker checker, long count)
    {
        while (checker.Total < count)
        {
            checker.Check(consumer.Read(ChildProcess.Patience));
        }
    }

    private static uint RungBells(TestChannel test)
    {
        RegionBytes region = new(test);
        uint rung = 0;
        for (int slot = 0; slot < 256; slot++)
        {
            rung += region.U32(region.Section(2) + 256 + (slot * 64));
        }

        return rung;
    }

    private void Report(long count, long start) =>
        _output.WriteLine($"{count / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e6:F2} million messages a second, checked");

    /// <summary>The C names' numbers, as the peer prints them.</summary>
    private static class Error
    {
        public const string TryAgain = "-11";
        public const string BrokenPipe = "-32";
        public const string Removed = "-43";
        public const string Protocol = "-71";
        public const string MessageSize = "-90";
        public const string Version = "-93";
        public const string NotSupported = "-95";
        public const string Remote = "-121";
        public const string Format = "-124";
    }

    /// <summary>The region's file, by the byte, as docs/memory-layout.md describes it.</summary>
    private sealed class RegionBytes(TestChannel test)
    {
        private readonly string _path = Path.Combine(test.Root, TestChannel.Name);

        public long Length => new FileInfo(_path).Length;

        public long Section(int kind) => (long)U64(256 + ((kind - 1) * 32) + 8);

        public uint U32(long offset) => BinaryPrimitives.ReadUInt32LittleEndian(Read(offset, 4));

        public ulong U64(long offset) => BinaryPrimitives.ReadUInt64LittleEndian(Read(offset, 8));

        public void SetByte(long offset, byte value) => Write(offset, [value]);

        public void SetU64(long offset, ulong value) => Write(offset, BitConverter.GetBytes(value));

        /// <summary>Makes the header's checksum fit what stands there.</summary>
        public void SealHeader()
        {
            uint crc = uint.MaxValue;
            foreach (byte value in Read(0, 2044))
            {
                crc = BitOperations.Crc32C(crc, value);
            }

            Write(2044, BitConverter.GetBytes(~crc));
        }

        private byte[] Read(long offset, int length)
        {
            using FileStream file = new(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0);
            byte[] bytes = new byte[length];
            file.Position = offset;
            file.ReadExactly(bytes);
            return bytes;
        }

        private void Write(long offset, byte[] bytes)
        {
            using FileStream file = new(_path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, 0);
            file.Position = offset;
            file.Write(bytes);
        }
    }
}
