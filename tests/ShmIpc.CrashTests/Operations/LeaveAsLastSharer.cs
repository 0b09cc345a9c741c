using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>What it holds is nobody's any more.</summary>
internal sealed class LeaveAsLastSharer : LeaveAsLastMember
{
    public override string Role => "last member of a shared group";

    protected override ConsumerOptions Membership => base.Membership with { Kind = GroupKind.Shared };
}
