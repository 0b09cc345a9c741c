// kill -9 between any two machine instructions of what is shipped: no instants that somebody chose, no store that was forgotten. A process
// that is warm is stepped, instruction by instruction, into the middle of one operation, and killed there (Harness/Stepper.cs).
//
// Forty instants spread over the operation, and then, by halving, the very instruction that makes the difference, and those around it. With
// SHMIPC_LONG=1 every instruction.

using System.Runtime.InteropServices;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.ProcessTests.Roles;

namespace ShmIpc.ProcessTests;

public sealed class InstructionKillTests(ITestOutputHelper output)
{
    private const int Spread = 40;
    private const int Around = 3;
    private const int Slack = 50; // the n-th instruction is not quite the same in each process: addresses differ
    private const int Most = 100_000; // no operation has so many
    private static readonly ParallelOptions _parallel = new() { MaxDegreeOfParallelism = 3 };
    private readonly ITestOutputHelper _output = output;

    [Fact]
    public void A_producer_that_dies_at_any_instruction_leaves_the_message_whole_or_no_trace_of_it() =>
        Check("stepped-writer", "publishes a message, having to make room first", KillWriter, "no trace of the message", "the message, whole");

    [Fact]
    public void A_member_that_dies_at_any_instruction_leaves_a_message_to_another_that_is_told_if_it_may_come_again() =>
        Check("stepped-member", "reads and acknowledges a message of a shared group", KillMember, "it comes to another for the first time", "it comes again, announced", "it was acknowledged");

    private void Check(string role, string what, Func<int, (int Instructions, int Outcome)> kill, params string[] outcomes)
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("SHMIPC_COVERAGE") is not null, "What coverage.sh runs is not what is shipped.");
        (int last, int lastOutcome) = kill(Most);
        Assert.SkipWhen(
            last == Most && RuntimeInformation.ProcessArchitecture == Architecture.Arm64,
            "This processor has no atomic instructions but pairs of exclusive ones, which a single step between them undoes.");
        Assert.Equal(outcomes.Length - 1, lastOutcome);
        SortedDictionary<int, int> found = [];
        Kill(Campaign.IsLong ? Enumerable.Range(0, last) : Enumerable.Range(0, Spread).Select(i => i * last / Spread));
        found[last] = lastOutcome;
        while (Unknown() is { Length: > 0 } between)
        {
            Kill(between);
        }

        int[] turns = Turns();
        Kill(turns.SelectMany(turn => Enumerable.Range(turn - Around, (2 * Around) + 1)).Where(step => step >= 0 && step < last));
        _output.WriteLine($"{what}: {last} instructions, {found.Count} deaths");
        foreach (int turn in turns)
        {
            _output.WriteLine($"behind {turn}: {outcomes[found[turn]]}");
        }

        Fragment.Write(role, $"A process that {what} executes {last} instructions ({RuntimeInformation.ProcessArchitecture}). "
            + $"{found.Count} deaths: {outcomes[0]}{string.Concat(turns.Select(turn => $"; behind {turn}: {outcomes[found[turn]]}"))}.");

        Assert.Equal(0, found[0]);
        Assert.Equal(Enumerable.Range(0, outcomes.Length), found.Values.Distinct().Order());
        for (int outcome = 1; outcome < outcomes.Length; outcome++)
        {
            int lastBefore = found.Last(death => death.Value < outcome).Key;
            int first = found.First(death => death.Value >= outcome).Key;
            Assert.True(lastBefore - first < Slack, $"{outcomes[outcome]}: behind {first} instructions, and not behind {lastBefore}.");
        }

        void Kill(IEnumerable<int> steps) => Parallel.ForEach([.. steps.Where(step => !found.ContainsKey(step))], _parallel, step =>
        {
            try
            {
                (int instructions, int outcome) = kill(step);
                Assert.True(instructions <= step);
                lock (found)
                {
                    found[step] = outcome;
                }
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"{what}, dead behind {step} instructions: {error.Message}", error);
            }
        });

        // Between two deaths with different outcomes, where there is room between them.
        int[] Unknown() => [.. found.Zip(found.Skip(1))
            .Where(pair => pair.First.Value != pair.Second.Value && pair.Second.Key - pair.First.Key > 1)
            .Select(pair => (pair.First.Key + pair.Second.Key) / 2)];

        int[] Turns() => [.. found.Zip(found.Skip(1))
            .Where(pair => pair.First.Value != pair.Second.Value)
            .Select(pair => pair.Second.Key)];
    }

    /// <summary>The lane is in its fourth lap: where the message goes stands something older. Nobody reads, so the oldest make room.</summary>
    private static (int Instructions, int Outcome) KillWriter(int instructions)
    {
        using TestChannel channel = new(4096);
        using ChildProcess writer = channel.Start("stepped-writer", Stepper.Settings);
        (int done, bool hasEnded) = Stepper.Kill(writer, instructions);
        using ByteConsumer consumer = channel.Channel.CreateConsumer();
        long next = -1;
        while (consumer.TryRead(out ShmRecord record))
        {
            Check(record);
            Assert.Equal(next < 0 ? record.Sequence : next, record.Sequence);
            next = record.Sequence + 1;
        }

        Assert.InRange(next, SteppedRoles.Before + (hasEnded ? 1 : 0), SteppedRoles.Before + 1);
        bool isThere = next > SteppedRoles.Before;
        using ByteProducer successor = channel.Channel.CreateProducer();
        Assert.Equal(0, successor.Lane);
        Span<byte> payload = stackalloc byte[SteppedRoles.PayloadBytes];
        for (int i = 0; i < 500; i++, next++) // several laps
        {
            SteppedRoles.Fill(payload, (int)next);
            successor.Write(payload, ChildProcess.Patience);
            Assert.True(consumer.TryRead(out ShmRecord record));
            Assert.Equal(next, record.Sequence);
            Check(record);
        }

        return (done, isThere ? 1 : 0);
    }

    private static (int Instructions, int Outcome) KillMember(int instructions)
    {
        const int Messages = SteppedRoles.Before + 3;
        using TestChannel channel = new(64 * 1024);
        using (channel.Channel.CreateConsumer(SteppedRoles.Member)) // makes the group, and leaves it
        using (ByteProducer producer = channel.Channel.CreateProducer())
        {
            for (int number = 0; number < Messages; number++)
            {
                byte[] payload = new byte[SteppedRoles.PayloadBytes];
                SteppedRoles.Fill(payload, number);
                producer.Write(payload);
            }
        }

        using ChildProcess member = channel.Start("stepped-member", Stepper.Settings);
        (int done, bool hasEnded) = Stepper.Kill(member, instructions);
        SortedDictionary<long, int> got = [];
        using ByteConsumer other = channel.Channel.CreateConsumer(SteppedRoles.Member);
        Eventually.True(
            () =>
            {
                while (other.TryRead(out ShmRecord record))
                {
                    Check(record);
                    Assert.True(got.TryAdd(record.Sequence, record.DeliveryCount), $"Message {record.Sequence} comes twice.");
                    other.Acknowledge(record);
                }

                return channel.Channel.Groups.Single().InFlight == 0 && got.ContainsKey(Messages - 1);
            },
            "the other member has everything");
        int deliveries = got.GetValueOrDefault(SteppedRoles.Before);
        Assert.True(deliveries == 0 || !hasEnded);
        int first = SteppedRoles.Before + (deliveries == 0 ? 1 : 0);
        Assert.Equal(Enumerable.Range(first, Messages - first), got.Keys.Select(sequence => (int)sequence));
        Assert.All(got, message => Assert.True(message.Key == SteppedRoles.Before || message.Value == 1));
        return (done, deliveries switch { 0 => 2, 1 => 0, 2 => 1, _ => throw new InvalidOperationException($"{deliveries} deliveries") });
    }

    private static void Check(in ShmRecord record)
    {
        Span<byte> payload = stackalloc byte[SteppedRoles.PayloadBytes];
        SteppedRoles.Fill(payload, (int)record.Sequence);
        Assert.True(payload.SequenceEqual(record.Payload), $"Message {record.Sequence} is torn.");
    }
}
