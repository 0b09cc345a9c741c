using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>The same with members that are equal.</summary>
internal sealed class MakeSharedGroup : MakeDurableGroup
{
    public override string Role => "first member of a durable shared group";

    protected override ConsumerOptions Membership => base.Membership with { Kind = GroupKind.Shared };
}
