using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>Whose members died with messages in their hands.</summary>
internal sealed class DeleteSharedGroup : DeleteGroup
{
    public override string What => "deletes a durable shared group whose last member died with three messages in hand";

    public override string? Predecessor => "preceded";

    protected override ConsumerOptions Membership => base.Membership with { Kind = GroupKind.Shared, MaxInFlight = 8 };

    public override void Precede(string root)
    {
        ByteConsumer member = ShmByteChannel.Open(Name, OptionsIn(root)).CreateConsumer(Membership);
        for (int i = 0; i < 3; i++)
        {
            member.Read(Patience);
        }
    }

    protected override void SetStage()
    {
        base.SetStage();
        Write(2, 3);
    }
}
