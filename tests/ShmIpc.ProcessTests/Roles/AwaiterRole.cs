// Awaits on many channels and does nothing else: what its parent measures is what idle awaits cost. Told "publish", it writes to each
// channel and says how many awaits that ended.

using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Roles;

internal static class AwaiterRole
{
    public static void Run(RoleArguments arguments)
    {
        int channels = (int)arguments.Number("channels");
        int each = (int)arguments.Number("each");
        List<ShmByteChannel> opened =
        [
            .. Enumerable.Range(0, channels).Select(i => ShmByteChannel.Create(
                $"idle{i}", new ShmChannelOptions { Root = arguments.Text("root"), LaneCapacityBytes = 4096, MaxProducers = 1, MaxGroups = 32 })),
        ];
        List<ByteConsumer> consumers =
            [.. opened.SelectMany(channel => Enumerable.Range(0, each).Select(_ => channel.CreateConsumer()))];
        int before = Directory.GetDirectories("/proc/self/task").Length;
        List<Task<bool>> waits = [.. consumers.Select(consumer => consumer.WaitToReadAsync().AsTask())];
        string[] threads = [.. Directory.GetDirectories("/proc/self/task").Select(Linux.ThreadName)];
        RoleArguments.Say($"ready {threads.Count(name => name == "ShmIpc hub")} {threads.Length - before}");
        RoleArguments.Await("publish");
        foreach (ShmByteChannel channel in opened)
        {
            using ByteProducer producer = channel.CreateProducer();
            producer.Write("x"u8);
        }

        RoleArguments.Say($"done {Task.WhenAll(waits).GetAwaiter().GetResult().Count(isReadable => isReadable)}");
    }
}
