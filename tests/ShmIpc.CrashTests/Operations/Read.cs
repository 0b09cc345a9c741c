using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>One message, and its room is given back.</summary>
internal sealed class Read : ConsumerOperation
{
    public override string What => "reads a message and releases it";

    public override void Act()
    {
        Assert.True(Consumer.TryRead(out ShmRecord _));
        Consumer.Release();
    }
}
