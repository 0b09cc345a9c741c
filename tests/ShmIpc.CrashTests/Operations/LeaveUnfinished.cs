using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>It has not acknowledged what it holds, so the others get it in any case.</summary>
internal sealed class LeaveUnfinished : LeaveAsActiveMember
{
    public override string Role => "member of a shared group";

    public override string What => "is disposed, a message unacknowledged";

    public override string[] Outcomes => ["another member gets that message again"];

    protected override ConsumerOptions Membership =>
        base.Membership with { Kind = GroupKind.Shared, Acknowledge = AcknowledgeMode.Manual, MaxInFlight = 8 };
}
