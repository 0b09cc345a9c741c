// Participants that are paused in the middle of something, and go on with it when they are told.

using System.Threading.Channels;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Roles;

internal static class PausedRoles
{
    public const string GroupName = "paused";

    /// <summary>A producer with an open claim, which holds the first message of stream 1 when it is told "end".</summary>
    public static void Claim(RoleArguments arguments)
    {
        using ShmByteChannel channel = ShmByteChannel.Open(arguments.Channel, arguments.Options);
        using ByteProducer producer = channel.CreateProducer();
        using (Claim claim = producer.Claim(Message.MaxBytes))
        {
            claim.Span.Fill(0xFF);
            RoleArguments.Say("ready");
            RoleArguments.Await("end");
            int length = Message.Length(1, 0);
            Message.Fill(claim.Span[..length], 1, 0);
            claim.Commit(length);
        }

        producer.TryComplete();
        RoleArguments.Say("done");
    }

    /// <summary>A member of the group "paused". If it is to hold a message, it takes one and acknowledges it when it is told "end". Then
    /// it reads until the producers have completed; says how many messages it got, how many of them as a repetition, and the sum
    /// of their numbers.</summary>
    public static void Member(RoleArguments arguments)
    {
        using ShmByteChannel channel = ShmByteChannel.Open(arguments.Channel, arguments.Options);
        using ByteConsumer consumer = channel.CreateConsumer(Options(Enum.Parse<GroupKind>(arguments.Text("kind"))));
        (long Read, long Repeated, long Sum) seen = default;
        if (arguments.Number("held") == 0)
        {
            RoleArguments.Say("ready");
        }
        else
        {
            Count(consumer.Read(), ref seen);
            RoleArguments.Say("ready");
            RoleArguments.Await("end");
            consumer.Release();
        }

        try
        {
            while (true)
            {
                Count(consumer.Read(), ref seen);
                consumer.Release();
            }
        }
        catch (ChannelClosedException)
        {
            RoleArguments.Say(FormattableString.Invariant($"done {seen.Read} {seen.Repeated} {seen.Sum}"));
        }
    }

    /// <summary>What every member of that group asks for.</summary>
    public static ConsumerOptions Options(GroupKind kind) => new()
    {
        Group = GroupName,
        Kind = kind,
        Acknowledge = AcknowledgeMode.Manual,
    };

    /// <summary>The message is the one of stream 1 that it says it is; counted.</summary>
    public static void Count(in ShmRecord record, ref (long Read, long Repeated, long Sum) seen)
    {
        if (Message.Differs(record.Payload, 1, record.Sequence) is { } difference)
        {
            throw new InvalidOperationException(difference);
        }

        seen = (seen.Read + 1, seen.Repeated + (record.DeliveryCount > 1 ? 1 : 0), seen.Sum + record.Sequence);
    }

    /// <summary>Makes a group and lets it end, again and again, until it is told to stop.</summary>
    public static void MakeGroups(RoleArguments arguments)
    {
        using ProgressFile progress = new(arguments.Text("progress"));
        using ShmByteChannel channel = ShmByteChannel.Open(arguments.Channel, arguments.Options);
        channel.CreateConsumer(Options(GroupKind.Exclusive)).Dispose(); // everything is compiled before the test begins to aim
        RoleArguments.Say("ready");
        while (progress[StreamRoles.StopCounter] == 0)
        {
            channel.CreateConsumer(Options(GroupKind.Exclusive)).Dispose();
        }

        RoleArguments.Say("done");
    }
}
