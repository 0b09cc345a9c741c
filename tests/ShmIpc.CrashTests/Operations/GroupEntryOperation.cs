// An operation on a group, which is the first entry of the table.

using ShmIpc.Channels;
using ShmIpc.Memory;

namespace ShmIpc.CrashTests.Operations;

internal abstract class GroupEntryOperation : ChannelOperation
{
    protected const string NoGroup = "no group";
    protected const string HalfMade = "a group half made: whoever needs its place takes it";
    protected const string OfTheDead = "a group of the dead: whoever it is in the way of ends it";
    protected const string HalfEnded = "a group half ended: whoever it is in the way of ends it";

    /// <summary>The messages of the stage.</summary>
    protected void Write(params byte[] messages)
    {
        using ByteProducer producer = Channel.CreateProducer();
        foreach (byte message in messages)
        {
            producer.Write([message], Patience);
        }
    }

    /// <summary>The entry's state.</summary>
    protected ulong State => Atomics.Acquire(ref Inside.Groups.Entry(0).State);

    /// <summary>In which phase the entry is.</summary>
    protected ulong Phase => GroupEntry.Phase(State);

    /// <summary>Everything up to a message, each acknowledged.</summary>
    protected static byte[] ReadTo(ByteConsumer consumer, byte last)
    {
        List<byte> got = [];
        while (got.Count == 0 || got[^1] != last)
        {
            ShmRecord record = consumer.Read(Patience);
            got.Add(record.Payload[0]);
            consumer.Acknowledge(record);
        }

        Assert.False(consumer.TryRead(out _));
        return [.. got];
    }

    /// <summary>The entry's phase; then somebody needs the room that it may hold.</summary>
    protected override string Look()
    {
        string outcome = Describe(Phase);
        WriteLaps();
        return outcome;
    }

    /// <summary>What a group's phase is called, where it has no living member and is in nobody's way yet.</summary>
    protected static string Describe(ulong phase) => phase switch
    {
        GroupEntry.Free => NoGroup,
        GroupEntry.Joining => HalfMade,
        GroupEntry.Active => OfTheDead,
        _ => HalfEnded,
    };
}
