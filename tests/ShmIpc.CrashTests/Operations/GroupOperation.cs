// A member of a named group that dies, and another in the test's process: which messages it gets, and which of them are announced as
// repeated. None is lost, and none that was acknowledged comes again.

using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.Rings;

namespace ShmIpc.CrashTests.Operations;

internal abstract class GroupOperation : ChannelOperation
{
    protected const int MaxInFlight = 4;
    private const string Group = "line";
    private readonly Dictionary<int, (int Lane, long Position)> _places = [];
    private ByteConsumer? _member;
    private ByteConsumer? _other;

    /// <summary>In the victim's process.</summary>
    protected ByteConsumer Member => _member!;

    /// <summary>How many messages there are, numbered from 1.</summary>
    protected virtual int Messages => 3;

    protected virtual int PayloadBytes => 1;

    protected abstract GroupKind Kind { get; }

    /// <summary>Who is left, as the table says.</summary>
    protected abstract string Survivor { get; }

    protected virtual AcknowledgeMode Acknowledgement => AcknowledgeMode.Auto;

    private ConsumerOptions Membership => new()
    {
        Group = Group,
        Kind = Kind,
        Durable = true,
        Acknowledge = Acknowledgement,
        MaxInFlight = Acknowledgement == AcknowledgeMode.Manual ? MaxInFlight : 1,
    };

    protected override ShmChannelOptions OptionsIn(string root) =>
        base.OptionsIn(root) with { RequiredGroups = [new RequiredGroup { Name = Group, Kind = Kind }] };

    protected override void SetStage()
    {
        using ByteProducer producer = Channel.CreateProducer();
        for (int i = 1; i <= Messages; i++)
        {
            producer.Write(Payload(i));
        }
    }

    protected override void Prepare() => _member = Channel.CreateConsumer(Membership);

    public override void Ready() => _other = Channel.CreateConsumer(Membership);

    protected override string Look()
    {
        using ByteConsumer other = _other!;
        SortedDictionary<int, int> got = []; // in a shared group they may come in any order
        Eventually.True(
            () =>
            {
                bool isAnyHeld = IsAnyHeld();
                while (other.TryRead(out ShmRecord record))
                {
                    Assert.True(got.TryAdd(record.Payload[0], record.DeliveryCount), $"Message {record.Payload[0]} comes twice.");
                    other.Acknowledge(record);
                }

                return !isAnyHeld && other.IsActive && other.Count == 0;
            },
            $"{Survivor} gets everything");
        return Gets([.. got.Select(message => message.Key * 10 + message.Value)]);
    }

    protected byte[] Payload(int number) => [(byte)number, .. new byte[PayloadBytes - 1]];

    /// <summary>In the victim's: reads the next message.</summary>
    /// <returns>Its number.</returns>
    protected int Take()
    {
        Assert.True(Member.TryRead(out ShmRecord record));
        int number = record.Payload[0];
        _places[number] = (record.Lane, record.Position);
        return number;
    }

    /// <summary>In the victim's: acknowledges a message that it has read.</summary>
    protected void Acknowledge(int number)
    {
        (int lane, long position) = _places[number];
        Member.Acknowledge(new ShmRecord(default, lane, position, 0, 1));
    }

    /// <summary>What the survivor gets, as the table says.</summary>
    /// <param name="deliveries">Each message's number, ten times, and which delivery of it it is.</param>
    protected string Gets(params int[] deliveries) => deliveries.Length == 0
        ? $"{Survivor} gets nothing"
        : $"{Survivor} gets {string.Join(", ", deliveries.Select(delivery => $"{delivery / 10}{Times(delivery % 10)}"))}";

    private static string Times(int deliveries) => deliveries switch
    {
        1 => "",
        2 => " again",
        3 => " for the third time",
        _ => $" for the {deliveries}th time",
    };

    private bool IsAnyHeld()
    {
        foreach (int slot in Inside.Claims)
        {
            if (Inside.Claims.HasIntents(slot))
            {
                return true;
            }
        }

        return false;
    }
}
