// How the processes of a topology find each other: all open the same channel, and whoever writes waits until all readers are there.

using ShmIpc.Channels;

namespace ShmIpc.Benchmarks.Topology;

internal static class Meeting
{
    public const string ChannelName = "topology";

    private const int PatienceMs = 15_000;

    public static ShmByteChannel Open(PartSettings settings) => ShmByteChannel.CreateOrOpen(ChannelName, settings.ChannelOptions());

    public static ByteConsumer CreateConsumer(ShmByteChannel channel, PartSettings settings) => channel.CreateConsumer(
        settings.SharedGroup is { } group ? new ConsumerOptions { Group = group, Kind = GroupKind.Shared } : null);

    /// <summary>So that nothing is overwritten unread.</summary>
    public static void AwaitConsumers(ShmByteChannel channel, int count) =>
        Await(() => channel.Groups.Sum(group => group.Members.Count) >= count, $"{count} consumers");

    /// <summary>Looks every millisecond.</summary>
    public static void Await(Func<bool> condition, string what)
    {
        long deadline = Environment.TickCount64 + PatienceMs;
        while (!condition())
        {
            if (Environment.TickCount64 > deadline)
            {
                throw new TimeoutException($"{what} within {PatienceMs / 1000} s: waited in vain.");
            }

            Thread.Sleep(1);
        }
    }
}
