using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>Here it is the message in the dead member's hand that is in the way.</summary>
internal sealed class RetireSharedForRoom : RetireForRoom
{
    public override string What => "ends a shared group whose last member died with the message in hand that stands in its way, and writes";

    protected override ConsumerOptions Membership => new() { Group = "workers", Kind = GroupKind.Shared };
}
