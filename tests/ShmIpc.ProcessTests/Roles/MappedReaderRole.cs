// A consumer that looks at how its memory is mapped, and then perhaps touches what it may not.

using System.Globalization;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.ProcessTests.Hostile;

namespace ShmIpc.ProcessTests.Roles;

internal static unsafe class MappedReaderRole
{
    /// <summary>The ways to read a channel.</summary>
    public static IReadOnlyList<string> Ways { get; } =
        ["broadcast", "exclusive", "shared", "manual", "observer", "batch", "wait-any", "await"];

    public static void Run(RoleArguments arguments)
    {
        Linux.DisableCoreDump();
        using ShmByteChannel channel = ShmByteChannel.Open(arguments.Channel, arguments.Options);
        using ByteConsumer consumer = Join(channel, arguments.Text("way"));
        RoleArguments.Say("ready");
        Read(consumer, arguments.Text("way"));
        string path = Path.Combine(arguments.Text("root"), arguments.Channel);
        List<MappedRange> lanes = [.. MappedRange.Of(path).Where(range => range.FileOffset >= arguments.Number("data"))];
        RoleArguments.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"mapped {lanes.Count} {lanes.Count(range => range.Access == "r--s")} {MappedRange.Unguarded(path)}"));
        byte* start = (byte*)lanes[0].Start;
        switch (arguments.Text("then"))
        {
            case "write": *start ^= 0xFF; break;
            case "read-before": GC.KeepAlive(*(start - 1)); break;
            case "read-behind": GC.KeepAlive(*(byte*)lanes[1].End); break;
            default: return;
        }

        RoleArguments.Say("survived");
    }

    private static ByteConsumer Join(ShmByteChannel channel, string way) => way switch
    {
        "exclusive" => channel.CreateConsumer(new() { Group = "audit" }),
        "shared" => channel.CreateConsumer(new() { Group = "workers", Kind = GroupKind.Shared }),
        "manual" => channel.CreateConsumer(new() { Acknowledge = AcknowledgeMode.Manual }),
        "observer" => channel.CreateObserver(StartPosition.Earliest),
        _ => channel.CreateConsumer(),
    };

    private static void Read(ByteConsumer consumer, string way)
    {
        TimeSpan patience = ChildProcess.Patience;
        switch (way)
        {
            case "batch":
                using (RecordBatch batch = consumer.ReadBatch(10, patience))
                {
                    GC.KeepAlive(batch.Count);
                }

                return;
            case "wait-any": ShmChannel.WaitAny([consumer], patience); break;
            case "await": consumer.WaitToReadAsync().AsTask().WaitAsync(patience).GetAwaiter().GetResult(); break;
            default: break;
        }

        GC.KeepAlive(consumer.Read(patience).Payload.Length);
    }
}
