using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>Whoever opens a channel that a dead deleter left marked.</summary>
internal sealed class FinishDeletion : ChannelCreation
{
    private const string Marked = "a channel that is marked as deleted, still";

    public override string What => "creates a channel where a deleter died halfway";

    public override string[] Outcomes => [Marked, Nothing, "the new channel, whole"];

    protected override string Whole => Outcomes[2];

    public override string? Predecessor => "died";

    /// <summary>In between it rings one doorbell after the other.</summary>
    public override IEnumerable<int> Choose(int steps) => Enumerable.Range(1, 16).Concat(Enumerable.Range(steps - 13, 14));

    public override void SetStage(string root)
    {
        base.SetStage(root);
        ShmByteChannel.Create(Name, Options).Dispose();
    }

    public override void Precede(string root)
    {
        CrashPoint.ArmBefore("WaitingRoom.Ring: Increment"); // the first doorbell
        ShmChannel.Delete(Name, root);
    }

    public override void Act() => ShmByteChannel.CreateOrOpen(Name, Options).Dispose();

    protected override string Look()
    {
        if (!Exists)
        {
            return base.Look();
        }

        // Whoever only opens it finishes the deletion as well.
        if (Record.Exception(Open) is ShmRegionNotFoundException)
        {
            Assert.False(Exists);
            return Marked;
        }

        return Whole;
    }
}
