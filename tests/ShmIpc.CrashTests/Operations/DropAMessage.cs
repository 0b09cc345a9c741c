using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>A full lane of a channel that drops the new message.</summary>
internal sealed class DropAMessage : FullLaneOperation
{
    public override string What => "drops a message for want of room";

    public override string[] Outcomes { get; } = ["no trace of it, not counted", "no trace of it, counted as dropped"];

    protected override byte[][] Published { get; } = [];

    protected override ShmChannelOptions OptionsIn(string root) => base.OptionsIn(root) with { FullMode = ShmFullMode.DropWrite };

    public override void Ready()
    {
    }

    public override void Act() => Producer.TryWrite(Message);

    protected override string Look()
    {
        base.Look();
        Assert.InRange(Channel.DroppedMessages, 0, 1);
        return Outcomes[Channel.DroppedMessages];
    }
}
