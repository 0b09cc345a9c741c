using ShmIpc.Channels;
using ShmIpc.Regions;

namespace ShmIpc.Tests.Regions;

/// <summary>An attachment without producers or consumers: what a process has in hand of a channel, from the inside.</summary>
internal sealed class Attachment(ShmChannelOptions options) : IDisposable
{
    public ChannelRegion Region { get; } = ChannelRegion.Attach(RegionScene.Name, "bytes", 0, options, ChannelOpenMode.CreateOrOpen);

    public ParticipantTable Participants => Region.Participants;

    public void Dispose() => Region.ReleaseReference();
}
