using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>A shared group with a living member: what a dead producer only began, the member puts back.</summary>
internal sealed class EvictSharer : Evict
{
    public override string What => "evicts a shared group whose member stands still (`EvictAfter`), and writes";

    protected override ConsumerOptions Membership => new() { Group = "workers", Kind = GroupKind.Shared };
}
