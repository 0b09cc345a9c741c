using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>With groups that are there from the start: whoever finds the channel finds them.</summary>
internal sealed class CreateChannelWithGroups : ChannelCreation
{
    public override string What => "creates a channel with required groups";

    protected override string Whole => "the whole channel, with its groups";

    protected override ShmChannelOptions Options => base.Options with
    {
        RequiredGroups = [new() { Name = "line" }, new() { Name = "workers", Kind = GroupKind.Shared }],
    };

    public override void Act() => ShmByteChannel.Create(Name, Options).Dispose();
}
