using ShmIpc.Channels;
using ShmIpc.Memory;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.CrashTests.Operations;

/// <summary>A producer of the test's process sleeps until the group has finished with the oldest message. The group is durable: the
/// death of its member makes no room.</summary>
internal sealed class AcknowledgeForASleeper : ExclusiveOperation
{
    private ByteProducer? _producer;
    private Task? _waiting;

    public override string What => "acknowledges 1, for whose room a producer sleeps";

    public override bool IsAlone => false; // the sleeper wakes and looks

    public override string[] Outcomes { get; } =
        ["the producer sleeps until the stand-by has read it", "the producer goes on within its 50 ms"];

    protected override AcknowledgeMode Acknowledgement => AcknowledgeMode.Manual;

    protected override int Messages => 63;

    protected override int PayloadBytes => 56; // records of 64 bytes: with the terminator they fill a lane of 4 KiB

    protected override void Prepare()
    {
        base.Prepare();
        Take();
    }

    public override void Ready()
    {
        base.Ready();
        _producer = Channel.CreateProducer();
        _waiting = Task.Factory.StartNew(() => _producer.Write(Payload(Messages + 1), Patience), TaskCreationOptions.LongRunning);
        Eventually.True(() => Inside.Writers.AnyParked, "the producer sleeps");
    }

    public override void Act() => Acknowledge(1);

    protected override string Look()
    {
        bool isAcknowledged = Atomics.Acquire(ref Inside.Gate(0).Cursor(0)) > 0;
        Assert.True(isAcknowledged ? _waiting!.Wait(Soon) : !_waiting!.IsCompleted);
        string rest = base.Look();
        Assert.True(_waiting!.Wait(Soon));
        _producer!.Dispose();
        Assert.StartsWith(isAcknowledged ? Gets(21) : Gets(12, 21), rest, StringComparison.Ordinal);
        return Outcomes[isAcknowledged ? 1 : 0];
    }
}
