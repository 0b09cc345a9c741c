using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>A thread that sleeps on two channels at once.</summary>
internal sealed class WaitForAny : ConsumerOperation
{
    private ShmByteChannel? _other;
    private ByteConsumer? _otherConsumer;

    public override string What => "waits for a message of either of two channels, asleep";

    public override int? MostSteps => 6;

    protected override int Messages => 0;

    private const string OtherName = "crash-other";

    protected override IEnumerable<string> Regions => [Name, OtherName];

    protected override void SetStage()
    {
        base.SetStage();
        _other = ShmByteChannel.Create(OtherName, Options);
    }

    protected override void Prepare()
    {
        base.Prepare();
        _other = ShmByteChannel.Open(OtherName, Options);
        _otherConsumer = _other.CreateConsumer();
    }

    public override void Act() => Assert.Equal(-1, ShmChannel.WaitAny([Consumer, _otherConsumer!], Long));

    protected override string Look()
    {
        string outcome = base.Look();
        Assert.False(Inside.Readers.AnyParked);
        CheckChannel(_other!);
        return outcome;
    }

    public override void Dispose()
    {
        base.Dispose();
        _other?.Dispose();
    }
}
