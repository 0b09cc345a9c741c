namespace ShmIpc.CrashTests.Operations;

/// <summary>A reader takes a place when it first waits, and sleeps.</summary>
internal sealed class WaitForAValue : ValueOperation
{
    public override string Role => "reader of a shared value";

    public override string What => "reads it, and waits for a change, asleep";

    public override string[] Outcomes { get; } = ["the value stays, its place is free"];

    public override int? MostSteps => 7;

    public override void Act()
    {
        Assert.True(Value.TryRead(out _, out long version));
        Assert.False(Value.WaitForChange(version, Long));
    }
}
