using ShmIpc.Channels;

namespace ShmIpc.CrashTests.Operations;

/// <summary>Where the root is there.</summary>
internal sealed class CreateChannel : ChannelCreation
{
    public override string What => "creates a channel";

    public override void Act() => ShmByteChannel.Create(Name, Options).Dispose();
}
