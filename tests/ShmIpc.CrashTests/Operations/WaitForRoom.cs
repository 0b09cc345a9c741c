namespace ShmIpc.CrashTests.Operations;

/// <summary>A thread that sleeps until there is room. It leaves the bit that says so.</summary>
internal class WaitForRoom : FullLaneOperation
{
    public override string What => "waits for room, asleep";

    public override string[] Outcomes { get; } = ["no trace of it"];

    public override int? MostSteps => 4;

    protected override byte[][] Published { get; } = [];

    public override void Ready()
    {
    }

    public override void Act() => Assert.Throws<TimeoutException>(() => Producer.Write(Message, Long));

    protected override string Look()
    {
        string outcome = base.Look(); // reading has woken, and so forgotten, whoever was asleep
        Assert.False(Inside.Writers.AnyParked);
        return outcome;
    }
}
