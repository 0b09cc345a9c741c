using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>Beside the others.</summary>
internal sealed class JoinSharedGroup : JoinAsStandBy
{
    public override string Role => "member of a shared group";

    public override string[] Outcomes => ["the other member, which goes on"];

    protected override ConsumerOptions Membership => base.Membership with { Kind = GroupKind.Shared };
}
