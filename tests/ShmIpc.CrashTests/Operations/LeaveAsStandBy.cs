using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>Its group goes on without it.</summary>
internal sealed class LeaveAsStandBy : JoinAsStandBy
{
    private ByteConsumer? _standBy;

    public override string What => "is disposed";

    public override void Act() => _standBy!.Dispose();

    protected override void Prepare() => _standBy = Channel.CreateConsumer(Membership);
}
