// Readers that may lose messages, and a producer that may drop some. A message is that of Message.cs with the lane's producer 1 and its own
// number in the lane, so that each checks itself, whatever came before it.

using System.Buffers.Binary;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Roles;

internal static class LossyRoles
{
    /// <summary>Checks what it gets of producer 1 until that has completed; says how much it read and how much it lost. Its progress
    /// counter is how many messages it has seen. One that is "late" starts with whatever comes first.</summary>
    public static void Read(RoleArguments arguments)
    {
        int counter = (int)arguments.Number("counter");
        int pauses = (int)arguments.Number("pauses");
        using ProgressFile progress = new(arguments.Text("progress"));
        using ShmByteChannel channel = ShmByteChannel.Open(arguments.Channel, arguments.Options);
        using ByteConsumer reader = arguments.Text("kind") == "observer"
            ? channel.CreateObserver(StartPosition.Earliest)
            : channel.CreateConsumer();
        RoleArguments.Say("ready");
        long read = 0;
        long first = arguments.Text("kind") == "late" ? -1 : 0;
        try
        {
            while (!reader.Completion.IsCompleted)
            {
                while (reader.TryRead(out ShmRecord record))
                {
                    first = first < 0 ? record.Sequence : first;
                    Check(record, first + read + reader.LostMessages);
                    progress[counter] = ++read;
                    Thread.SpinWait(pauses);
                }

                reader.WaitToRead(ChildProcess.Patience);
            }

            RoleArguments.Say(FormattableString.Invariant($"done {read} {reader.LostMessages}"));
        }
        catch (ShmEvictedException)
        {
            RoleArguments.Say(FormattableString.Invariant($"evicted {read} {reader.LostMessages}"));
        }
    }

    /// <summary>Writes 16 bytes, its id and a number, without ever waiting; says how many it dropped. Its progress counter is how many
    /// it has certainly written.</summary>
    public static void Write(RoleArguments arguments)
    {
        long id = arguments.Number("id");
        long count = arguments.Number("count");
        using ProgressFile progress = new(arguments.Text("progress"));
        using ShmByteChannel channel = ShmByteChannel.Open(arguments.Channel, arguments.Options);
        using ByteProducer producer = channel.CreateProducer(); // all are there before one completes
        RoleArguments.Say("ready");
        RoleArguments.Await("go");
        Span<byte> payload = stackalloc byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(payload, id);
        for (long number = 0; number < count; number++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(payload[8..], number);
            producer.Write(payload);
            progress[(int)id] = number + 1;
        }

        producer.TryComplete();
        RoleArguments.Say(FormattableString.Invariant($"done {producer.DroppedMessages}"));
    }

    private static void Check(in ShmRecord record, long expected)
    {
        string? difference = record.Sequence != expected
            ? $"message {record.Sequence} came, and with what was lost it must be {expected}"
            : Message.Differs(record.Payload, 1, record.Sequence);
        if (difference is not null)
        {
            throw new InvalidOperationException($"Position {record.Position}, sequence {record.Sequence}: {difference}");
        }
    }
}
