using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>The active member of an exclusive group, which the stand-by continues.</summary>
internal abstract class ExclusiveOperation : GroupOperation
{
    public override string Role => "active member of an exclusive group";

    protected override GroupKind Kind => GroupKind.Exclusive;

    protected override string Survivor => "the stand-by";

    protected override void Prepare()
    {
        base.Prepare();
        Assert.Equal(Messages, Member.Count); // nobody else was active, so it is now
    }
}
