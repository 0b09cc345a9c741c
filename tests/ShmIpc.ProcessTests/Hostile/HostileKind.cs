// The kinds of region that are scribbled over, each with what somebody left behind in it: records, durable groups, messages that a member
// of a shared group took and did not acknowledge, a completed lane.

using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.Serialization;
using ShmIpc.Values;
using ShmIpc.Waiting;

namespace ShmIpc.ProcessTests.Hostile;

internal sealed record HostileKind(string Name, Func<string, ShmChannelOptions>? Options)
{
    public const string Region = "hostile";
    private const string ValueName = "value";
    private const string TypedName = "typed";

    public static IReadOnlyList<HostileKind> InMemory { get; } =
    [
        new("wait", Small),
        new("drop-oldest", root => Small(root) with { FullMode = ShmFullMode.DropOldest }),
        new("drop-write", root => Small(root) with
        {
            FullMode = ShmFullMode.DropWrite,
            RequiredGroups = [new() { Name = "workers", Kind = GroupKind.Shared }],
        }),
        new("evicting", root => Small(root) with { EvictAfter = TimeSpan.FromMilliseconds(1) }),
        new("checksums", root => Small(root) with { Checksums = true }),
        new(TypedName, Small),
        new(ValueName, null),
    ];

    /// <summary>Its messages are flushed, and the floor is before it takes effect.</summary>
    public static HostileKind OnDisk { get; } = new("on-disk", root => Small(root) with { Flush = ShmFlushMode.Sync });

    public static IReadOnlyList<HostileKind> All { get; } = [.. InMemory, OnDisk];

    public static HostileKind Named(string name) => All.Single(kind => kind.Name == name);

    /// <summary>Makes the region, uses it, and leaves it without anybody attached.</summary>
    public void Leave(string root)
    {
        if (Options is null)
        {
            using SharedValue<string> value = SharedValue.Create(Region, new StringPayload(), ValueOptions(root));
            using SharedValueWriter<string> writer = value.CreateWriter();
            writer.Write("left behind");
            return;
        }

        using ShmByteChannel? bytes = Name == TypedName ? null : ShmByteChannel.Create(Region, Options(root));
        using ShmChannel<string[]>? typed = Name == TypedName ? ShmChannel.Create<string[]>(Region, Options(root)) : null;
        if (bytes is not null)
        {
            LeaveTraces(bytes);
        }
        else
        {
            using Producer<string[]> producer = typed!.CreateProducer();
            using Consumer<string[]> consumer = typed.CreateConsumer(new() { Group = "audit", Durable = true });
            producer.TryWrite(["left", "behind"]);
        }
    }

    public HostileUser Use(string root, Random random, Outcomes outcomes) => Name switch
    {
        ValueName => new HostileValueUser(ValueOptions(root), random, outcomes),
        TypedName => new HostileTypedUser(Opening(root), random, outcomes),
        _ => new HostileByteUser(Opening(root), random, outcomes),
    };

    public override string ToString() => Name;

    /// <summary>An opener takes everything as it is.</summary>
    public static ShmChannelOptions Opening(string root) => new() { Root = root, WaitStrategy = WaitStrategy.Park };

    public static SharedValueOptions ValueOptions(string root) => new() { Root = root, MaxValueBytes = 300, MaxParticipants = 8 };

    private static ShmChannelOptions Small(string root) => new()
    {
        Root = root,
        LaneCapacityBytes = 4096,
        MaxProducers = 2,
        MaxGroups = 6,
        MaxParticipants = 16,
    };

    private static void LeaveTraces(ShmByteChannel channel)
    {
        using ByteConsumer audit = channel.CreateConsumer(new() { Group = "audit", Durable = true });
        bool isLossy = channel.FullMode == ShmFullMode.DropOldest;
        bool isDurable = channel.FullMode == ShmFullMode.DropWrite;
        ConsumerOptions options = new()
        {
            Group = "workers",
            Kind = isLossy ? GroupKind.Exclusive : GroupKind.Shared,
            Durable = isDurable || !isLossy,
            Acknowledge = AcknowledgeMode.Manual,
            MaxInFlight = 3,
        };
        using ByteConsumer worker = channel.CreateConsumer(options);
        using ByteProducer producer = channel.CreateProducer();
        for (int i = 0; i < 9; i++)
        {
            producer.Write(new byte[i * 20], ChildProcess.Patience);
        }

        producer.TryComplete(new IOException("the source is gone"));
        for (int i = 0; i < 3; i++)
        {
            worker.Read(ChildProcess.Patience);
            audit.Read(ChildProcess.Patience);
        }
    }
}
