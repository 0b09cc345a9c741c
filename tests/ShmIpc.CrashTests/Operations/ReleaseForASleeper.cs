using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.CrashTests.Operations;

/// <summary>A producer of the test's process sleeps until there is room.</summary>
internal sealed class ReleaseForASleeper : ConsumerOperation
{
    private Task? _waiting;

    public override string What => "gives back room for which a producer sleeps";

    public override bool IsAlone => false; // the producer wakes and writes

    protected override int Messages => Full;

    protected override void Prepare()
    {
        base.Prepare();
        Assert.True(Consumer.TryRead(out _));
    }

    public override void Ready()
    {
        _waiting = Task.Factory.StartNew(() => Producer.Write(new byte[56], Patience), TaskCreationOptions.LongRunning);
        Eventually.True(() => Inside.Writers.AnyParked, "the producer sleeps");
    }

    public override void Act() => Consumer.Release();

    protected override string Look()
    {
        Assert.True(_waiting!.Wait(Soon), "There is room, and the producer sleeps.");
        return base.Look();
    }
}
