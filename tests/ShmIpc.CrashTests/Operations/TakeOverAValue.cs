using ShmIpc.ProcessTests.Harness;
using ShmIpc.Values;

namespace ShmIpc.CrashTests.Operations;

/// <summary>The writer before it died when it had written half of the same value.</summary>
internal sealed class TakeOverAValue : ValueOperation
{
    private const int BeforeItsBytes = 3;

    public override string What => "takes over from a dead writer, and writes a value";

    protected override void SetStage()
    {
        using ChildProcess dead = ChildProcess.StartReady("victim");
        dead.Send($"prepare {nameof(WriteAValue)} {Root}");
        dead.Expect("prepared");
        dead.Send($"act {BeforeItsBytes}");
        Assert.Equal("ValueCell.Write: bytes", string.Join(' ', dead.Expect("died")));
        Assert.Equal(128 + Linux.SIGKILL, dead.WaitForExit());
    }

    public override void Act()
    {
        using SharedValueWriter<byte[]> writer = Value.CreateWriter();
        Assert.Equal(2, writer.Write(New));
    }
}
