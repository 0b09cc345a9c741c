// Processes that are killed between two machine instructions (Harness/Stepper.cs): they do one thing many times, so that all of its code is
// compiled and everything that happens once has happened, and then once more between two markers.

using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Roles;

internal static class SteppedRoles
{
    /// <summary>Done before the one that counts: with it the lane's position is stored, as for every 64th message.</summary>
    public const int Before = 255;

    /// <summary>So many that the one that counts is the first for which a lane of 4 KiB, which nobody reads, has no room left.</summary>
    public const int PayloadBytes = 128;

    public const string Group = "stepped";

    public static readonly ConsumerOptions Member = new()
    {
        Group = Group,
        Kind = GroupKind.Shared,
        Durable = true,
        Acknowledge = AcknowledgeMode.Manual,
    };

    /// <summary>Publishes messages.</summary>
    public static void Write(RoleArguments arguments)
    {
        using ShmByteChannel channel = ShmByteChannel.Open(arguments.Channel, arguments.Options);
        using ByteProducer producer = channel.CreateProducer();
        Span<byte> payload = stackalloc byte[PayloadBytes];
        for (int number = 0; number < Before; number++)
        {
            Linux.Mark();
            Fill(payload, number);
            producer.TryWrite(payload);
        }

        Fill(payload, Before);
        BePrepared();
        Linux.Mark();
        producer.TryWrite(payload);
        Linux.Mark();
        RoleArguments.Await("end");
    }

    /// <summary>Takes messages as a member of a shared group, and acknowledges them.</summary>
    public static void Read(RoleArguments arguments)
    {
        using ShmByteChannel channel = ShmByteChannel.Open(arguments.Channel, arguments.Options);
        using ByteConsumer member = channel.CreateConsumer(Member);
        for (int number = 0; number < Before; number++)
        {
            Linux.Mark();
            Take(member);
        }

        BePrepared();
        Thread.Sleep(50); // so that this one always looks first for what the dead left, which it does once in 10 ms
        Linux.Mark();
        Take(member);
        Linux.Mark();
        RoleArguments.Await("end");
    }

    /// <summary>Bytes that show which message it is and where it is torn.</summary>
    public static void Fill(Span<byte> payload, int number)
    {
        for (int i = 0; i < payload.Length; i++)
        {
            payload[i] = (byte)((number * 31) + (i * 7) + 1);
        }
    }

    private static void Take(ByteConsumer member)
    {
        member.TryRead(out ShmRecord record);
        member.Acknowledge(record);
    }

    private static void BePrepared()
    {
        Linux.AllowTracing();
        RoleArguments.Say("ready");
        RoleArguments.Await("go");
    }
}
