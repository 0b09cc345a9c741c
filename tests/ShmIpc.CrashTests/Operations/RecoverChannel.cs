// The first who opens a channel on a disk after the machine was restarted brings it in order; whoever dies in that is followed by the next.
// The machine is restarted by putting a copy of the file, taken while everybody was at work, in its place, with the id of another boot.

using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.Regions;

namespace ShmIpc.CrashTests.Operations;

internal sealed class RecoverChannel : Operation
{
    private const string Name = "crash";
    private const int Flushed = 5;
    private static readonly ConsumerOptions _line = new() { Group = "line", Durable = true, Acknowledge = AcknowledgeMode.Manual };
    private static readonly ConsumerOptions _workers =
        new() { Group = "workers", Kind = GroupKind.Shared, Durable = true, Acknowledge = AcknowledgeMode.Manual };
    private string? _root;

    public override string Role => "opener";

    public override string What => "recovers a channel on a disk after a restart of the machine";

    public override string[] Outcomes { get; } =
        ["not in order: the next opener recovers it, everything flushed is there", "in order: everything flushed is there"];

    public override bool IsOnDisk => true;

    public override void SetStage(string root)
    {
        _root = root;
        string path = Path.Combine(root, Name);
        byte[] image;
        using (ShmByteChannel channel = ShmByteChannel.Create(Name, Options(root)))
        using (ByteConsumer line = channel.CreateConsumer(_line))
        using (ByteConsumer worker = channel.CreateConsumer(_workers))
        using (ByteConsumer nameless = channel.CreateConsumer())
        using (ByteProducer producer = channel.CreateProducer())
        {
            for (byte i = 0; i < Flushed; i++)
            {
                producer.Write([i, 0xAB, 0xCD, 0xEF, 0xAB, 0xCD, 0xEF, 0xAB]);
            }

            producer.Flush();
            line.Acknowledge(line.Read(ChildProcess.Patience));
            line.Read(ChildProcess.Patience);
            worker.Read(ChildProcess.Patience);
            producer.Write([Flushed, 0x12, 0x34, 0x56, 0x78, 0x9A, 0xBC, 0xDE]); // the torn one
            producer.Write([Flushed + 1, 0x21, 0x43, 0x65, 0x87, 0xA9, 0xCB, 0xED]); // whole, and behind it
            image = File.ReadAllBytes(path);
        }

        Assert.True(ShmChannel.Delete(Name, root));
        Guid.NewGuid().TryWriteBytes(image.AsSpan(RegionLayout.OrderedInBootOffset));
        image[image.AsSpan().IndexOf((ReadOnlySpan<byte>)[Flushed, 0x12, 0x34, 0x56, 0x78, 0x9A, 0xBC, 0xDE]) + 3] ^= 1;
        File.WriteAllBytes(path, image);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    public override void Prepare(string root) => _root = root;

    public override void Act() => ShmByteChannel.Open(Name, Options(_root!)).Dispose();

    public override string Observe()
    {
        Guid ordered = new(File.ReadAllBytes(Path.Combine(_root!, Name)).AsSpan(RegionLayout.OrderedInBootOffset, 16));
        string outcome = Outcomes[ordered == new Guid(Interop.LinuxProcess.BootId) ? 1 : 0];
        using (ShmByteChannel channel = ShmByteChannel.Open(Name, Options(_root!)))
        {
            Assert.Equal((0, 0), (channel.ProducerCount, channel.ConsumerCount));
            Assert.Equal(["line", "workers"], channel.Groups.Select(group => group.Name));
            using ByteConsumer line = channel.CreateConsumer(_line);
            using ByteConsumer worker = channel.CreateConsumer(_workers);
            using ByteConsumer nameless = channel.CreateConsumer();
            using ByteProducer producer = channel.CreateProducer();
            using ByteProducer second = channel.CreateProducer();
            producer.Write([99], ChildProcess.Patience);
            Assert.Equal([1, 2, 3, 4, 99], ReadAll(line));
            Assert.Equal([0, 1, 2, 3, 4, 99], ReadAll(worker));
            Assert.Equal([0, 1, 2, 3, 4, 99], ReadAll(nameless));
            producer.Flush();
        }

        Assert.Equal([Path.Combine(_root!, Name)], Directory.GetFileSystemEntries(_root!));
        Assert.True(ShmChannel.Delete(Name, _root));
        return outcome;
    }

    public override void Dispose()
    {
    }

    private static ShmChannelOptions Options(string root) => new()
    {
        Root = root,
        LaneCapacityBytes = 4096,
        MaxProducers = 2,
        MaxGroups = 3,
        MaxParticipants = 5,
        Checksums = true,
    };

    private static byte[] ReadAll(ByteConsumer consumer)
    {
        List<byte> all = [];
        while (all is not [.., 99])
        {
            ShmRecord record = consumer.Read(ChildProcess.Patience);
            all.Add(record.Payload[0]);
            consumer.Acknowledge(record);
        }

        return [.. all];
    }
}
