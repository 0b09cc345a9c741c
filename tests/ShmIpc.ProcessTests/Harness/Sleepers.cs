// Who sleeps, by the words of the region: whoever publishes or makes room then must wake him.

using ShmIpc.Channels;
using ShmIpc.Waiting;

namespace ShmIpc.ProcessTests.Harness;

internal static class Sleepers
{
    /// <summary>Returns when somebody sleeps in that room of a channel, or is about to.</summary>
    public static void Await(string channel, ShmChannelOptions options, Func<ChannelRegion, WaitingRoom> room)
    {
        ChannelRegion region = ChannelRegion.Attach(channel, "bytes", 0, options, ChannelOpenMode.Open);
        try
        {
            Eventually.True(() => room(region).AnyParked, "somebody goes to sleep");
        }
        finally
        {
            region.ReleaseReference();
        }
    }
}
