using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>The active member died with a message in hand; so does the stand-by that continues, and a third member goes on.</summary>
internal sealed class TakeOverGroup : GroupEntryOperation
{
    private static readonly ConsumerOptions _group = new() { Group = "line", Acknowledge = AcknowledgeMode.Manual, Durable = true };
    private ByteConsumer? _standBy;
    private ByteConsumer? _third;

    public override string Role => "stand-by of an exclusive group";

    public override string What => "takes over from a dead active member, acknowledges one message and reads another";

    public override string[] Outcomes { get; } =
        ["the third member goes on where the first was", "the third member goes on where the second was"];

    public override string? Predecessor => "preceded";

    public override void Precede(string root)
    {
        ByteConsumer active = ShmByteChannel.Open(Name, OptionsIn(root)).CreateConsumer(_group);
        active.Acknowledge(active.Read(Patience));
        active.Read(Patience);
    }

    public override void Ready() => _third = Channel.CreateConsumer(_group);

    public override void Act()
    {
        _standBy!.Acknowledge(_standBy.Read(Patience));
        _standBy.Read(Patience);
    }

    protected override void SetStage()
    {
        using ByteConsumer maker = Channel.CreateConsumer(_group);
        Write(0, 1, 2, 3);
    }

    protected override void Prepare() => _standBy = Channel.CreateConsumer(_group);

    protected override string Look()
    {
        using ByteConsumer third = _third!;
        return ReadTo(third, 3) switch
        {
            [1, 2, 3] => Outcomes[0],
            [2, 3] => Outcomes[1],
            byte[] other => string.Join(", ", other),
        };
    }
}
