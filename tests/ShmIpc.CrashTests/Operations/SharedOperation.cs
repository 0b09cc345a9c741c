using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>A member of a shared group, and another that gets what it held.</summary>
internal abstract class SharedOperation : GroupOperation
{
    public override string Role => "member of a shared group";

    protected override GroupKind Kind => GroupKind.Shared;

    protected override string Survivor => "another member";
}
