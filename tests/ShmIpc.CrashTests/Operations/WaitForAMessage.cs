namespace ShmIpc.CrashTests.Operations;

/// <summary>A thread that sleeps until there is a message. It leaves the bit that says so.</summary>
internal class WaitForAMessage : ConsumerOperation
{
    public override string What => "waits for a message, asleep";

    public override int? MostSteps => 4;

    protected override int Messages => 0;

    public override void Act() => Assert.False(Consumer.WaitToRead(Long));

    protected override string Look()
    {
        string outcome = base.Look(); // the first message has woken, and so forgotten, whoever was asleep
        Assert.False(Inside.Readers.AnyParked);
        return outcome;
    }
}
