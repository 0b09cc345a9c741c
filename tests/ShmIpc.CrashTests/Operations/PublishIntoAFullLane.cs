namespace ShmIpc.CrashTests.Operations;

/// <summary>The 64th message: the floor is raised for it, and <c>committed</c> is stored behind it.</summary>
internal sealed class PublishIntoAFullLane : FullLaneOperation
{
    public override string What => "publishes into a lane that is full of what was read: raises the floor, and stores how far it came";

    protected override byte[][] Published { get; } = [Bytes(56, 100)];

    public override void Act() => Producer.TryWrite(Published[0]);
}
