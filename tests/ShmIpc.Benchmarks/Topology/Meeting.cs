// How the processes of a topology find each other: all open the same channel, and whoever writes waits until all readers are there.

using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Channels;

namespace ShmIpc.Benchmarks.Topology;

internal static class Meeting
{
    public const string ChannelName = "topology";

    public static ShmByteChannel Open(PartSettings settings) => ShmByteChannel.CreateOrOpen(ChannelName, settings.ChannelOptions());

    public static ByteConsumer CreateConsumer(ShmByteChannel channel, PartSettings settings) => channel.CreateConsumer(
        settings.SharedGroup is { } group ? new ConsumerOptions { Group = group, Kind = GroupKind.Shared } : null);

    /// <summary>So that nothing is overwritten unread.</summary>
    public static void AwaitConsumers(ShmByteChannel channel, int count) =>
        Rendezvous.WaitUntil(() => channel.Groups.Sum(group => group.Members.Count) >= count, $"{count} consumers");
}
