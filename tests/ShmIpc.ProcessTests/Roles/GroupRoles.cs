// Producers and the members of groups that are killed and stopped at random. Each member notes what it got in its group's ledger before
// it asks for more (or acknowledges), so the test can compare the ledgers with what the producers had committed.

using System.Buffers.Binary;
using System.Threading.Channels;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Roles;

internal static class GroupRoles
{
    public const int StopCounter = 500; // in the progress file: not 0 = the producers have written enough
    private const int PayloadBytes = 24;
    private const int Burst = 50;
    private const int Pause = 100;
    private const ulong Pattern = 0x9E37_79B9_7F4A_7C15;

    /// <summary>Writes (producer, number, check) until it is told to stop, and counts what it has committed.</summary>
    public static void Write(RoleArguments arguments)
    {
        using ProgressFile progress = new(arguments.Text("progress"));
        using ShmByteChannel channel = ShmByteChannel.Open(arguments.Channel, arguments.Options);
        int id = (int)arguments.Number("id");
        long most = arguments.Number("count");
        byte[] payload = new byte[PayloadBytes];
        RoleArguments.Say("ready");
        RoleArguments.Await("go");
        using ByteProducer producer = channel.CreateProducer();
        for (long number = 0; number < most && progress[StopCounter] == 0; number++)
        {
            Fill(payload, id, number);
            producer.Write(payload, ChildProcess.Patience);
            progress[id] = number + 1;
            if (number % Burst == 0)
            {
                Thread.Sleep(1); // so that there is time to be killed in
            }
        }

        producer.TryComplete();
        RoleArguments.Say("done");
        RoleArguments.Await("end");
    }

    /// <summary>Reads as a member of a group, or as a group of its own, until the producers have completed.</summary>
    public static void Read(RoleArguments arguments)
    {
        using Ledger ledger = new(arguments.Text("ledger"), arguments.Number("producers"), arguments.Number("count"));
        using ShmByteChannel channel = ShmByteChannel.Open(arguments.Channel, arguments.Options);
        bool isManual = arguments.Number("in-flight") > 0;
        string group = arguments.Text("group");
        GroupKind kind = Enum.Parse<GroupKind>(arguments.Text("kind"));
        using ByteConsumer consumer = channel.CreateConsumer(group.Length == 0 ? null : new ConsumerOptions
        {
            Group = group,
            Kind = kind,
            Durable = true,
            Acknowledge = isManual ? AcknowledgeMode.Manual : AcknowledgeMode.Auto,
            MaxInFlight = isManual ? (int)arguments.Number("in-flight") : 1,
        });
        RoleArguments.Say("ready");
        Dictionary<long, long> next = [];
        long read = 0;
        try
        {
            while (true)
            {
                if (!consumer.TryRead(out ShmRecord record))
                {
                    consumer.Release(); // others wait for what is in flight here
                    record = consumer.Read(ChildProcess.Patience);
                }

                (long producer, long number) = Check(record.Payload);
                bool isRepeated = record.DeliveryCount > 1;
                if (!isRepeated)
                {
                    long expected = next.GetValueOrDefault(producer);
                    bool isInOrder = kind == GroupKind.Shared || (number > 0 && !next.ContainsKey(producer))
                        ? number >= expected && (kind == GroupKind.Shared || IsNoted(ledger, producer, number - 1))
                        : number == expected;
                    if (!isInOrder)
                    {
                        throw new InvalidOperationException($"Message {number} of producer {producer} came where {expected} was due.");
                    }

                    next[producer] = number + 1;
                }
                else if (kind == GroupKind.Exclusive)
                {
                    next[producer] = number + 1; // repeated ones come first, and in order
                }

                ledger.Note(producer, number, isRepeated);
                read++;
                if (read % Pause == 0 && kind == GroupKind.Shared)
                {
                    Thread.Sleep(1); // with something in its hand
                }

                if (isManual && (read & 3) != 0)
                {
                    continue; // acknowledge four at a time
                }

                if (isManual)
                {
                    consumer.Release();
                }
            }
        }
        catch (ChannelClosedException)
        {
            RoleArguments.Say(FormattableString.Invariant($"done {read}"));
        }

        RoleArguments.Await("end");
    }

    private static bool IsNoted(Ledger ledger, long producer, long number)
    {
        (int first, int repeated) = ledger[producer, number];
        return first + repeated > 0;
    }

    private static void Fill(Span<byte> payload, long producer, long number)
    {
        BinaryPrimitives.WriteInt64LittleEndian(payload, producer);
        BinaryPrimitives.WriteInt64LittleEndian(payload[8..], number);
        BinaryPrimitives.WriteUInt64LittleEndian(payload[16..], ((ulong)producer * Pattern) ^ ((ulong)number * ~Pattern));
    }

    private static (long Producer, long Number) Check(ReadOnlySpan<byte> payload)
    {
        Span<byte> expected = stackalloc byte[PayloadBytes];
        long producer = BinaryPrimitives.ReadInt64LittleEndian(payload);
        long number = BinaryPrimitives.ReadInt64LittleEndian(payload[8..]);
        Fill(expected, producer, number);
        return payload.SequenceEqual(expected)
            ? (producer, number)
            : throw new InvalidOperationException($"A message is torn: {Convert.ToHexString(payload)}.");
    }
}
