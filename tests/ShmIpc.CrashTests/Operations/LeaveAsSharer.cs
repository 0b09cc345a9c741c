using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>The same beside an equal.</summary>
internal sealed class LeaveAsSharer : LeaveAsActiveMember
{
    public override string Role => "member of a shared group";

    public override string[] Outcomes => ["another member gets that message again", "another member goes on behind it"];

    protected override ConsumerOptions Membership => base.Membership with { Kind = GroupKind.Shared };
}
