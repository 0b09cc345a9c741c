// A channel on a disk whose control words were damaged before the machine was restarted: recovery copes with them, or says so.

using System.Buffers.Binary;
using ShmIpc.Channels;
using ShmIpc.Regions;
using ShmIpc.Rings;
using ShmIpc.Tests.Regions;
using Xunit;

namespace ShmIpc.Tests.Persistence;

public sealed class DamagedRecoveryTests
{
    private const string Name = "damaged";

    [Theory]
    [InlineData(-8, -16)]
    [InlineData(long.MinValue, long.MinValue)]
    [InlineData(16, long.MinValue)]
    [InlineData(long.MaxValue, 12)]
    public void A_lane_that_nobody_ever_took_may_say_what_it_likes(long floor, long committed)
    {
        using DiskRoot root = new();
        CreateAbandoned(root);
        Damage(root, bytes =>
        {
            int lane = Offset(bytes, SectionKind.LaneControls) + LaneLayout.ControlBytes; // the second lane
            RegionBytes.Put64(bytes, lane + LaneLayout.FloorOffset + 8, (ulong)floor);
            RegionBytes.Put64(bytes, lane + LaneLayout.CommittedOffset + 8, (ulong)committed);
            bytes.AsSpan(Offset(bytes, SectionKind.Cursors), 4 * LaneGate.CursorStrideBytes).Fill(0xFE);
        });
        using ShmByteChannel channel = ShmByteChannel.Open(Name, new ShmChannelOptions { Root = root.Path });
        using ByteConsumer consumer = channel.CreateConsumer(new() { Group = "audit", Durable = true });
        using ByteProducer producer = channel.CreateProducer();
        producer.Write("new"u8);
        Assert.Equal("left behind"u8, consumer.Read(TimeSpan.FromSeconds(60)).Payload);
        Assert.Equal("new"u8, consumer.Read(TimeSpan.FromSeconds(60)).Payload);
    }

    [Fact]
    public void An_epoch_that_nobody_can_have_reached_does_not_begin_the_epochs_anew()
    {
        using DiskRoot root = new();
        CreateAbandoned(root);
        int slot = 0;
        Damage(root, bytes =>
        {
            slot = Offset(bytes, SectionKind.Participants);
            RegionBytes.Put64(bytes, slot, 7);
            RegionBytes.Put64(bytes, slot + ParticipantLayout.SlotBytes, ulong.MaxValue);
        });
        ShmByteChannel.Open(Name, new ShmChannelOptions { Root = root.Path }).Dispose();
        byte[] after = File.ReadAllBytes(root.FileOf(Name));
        Assert.Equal(8UL, RegionBytes.Get64(after, slot));
        Assert.Equal(8UL, RegionBytes.Get64(after, slot + ParticipantLayout.SlotBytes));
    }

    private static void CreateAbandoned(DiskRoot root)
    {
        ShmChannelOptions options = RegionScene.Options(root.Path, maxProducers: 2, maxGroups: 2, maxParticipants: 4);
        using ShmByteChannel channel = ShmByteChannel.Create(Name, options with { Flush = ShmFlushMode.Sync });
        using ByteConsumer consumer = channel.CreateConsumer(new() { Group = "audit", Durable = true });
        using ByteProducer producer = channel.CreateProducer();
        producer.Write("left behind"u8);
    }

    /// <summary>Changes the file, and makes it one of another boot.</summary>
    private static void Damage(DiskRoot root, Action<byte[]> change)
    {
        root.AwaitDetached(Name);
        byte[] bytes = File.ReadAllBytes(root.FileOf(Name));
        change(bytes);
        bytes[RegionLayout.OrderedInBootOffset] ^= 0xFF;
        File.WriteAllBytes(root.FileOf(Name), bytes);
    }

    private static int Offset(byte[] bytes, SectionKind kind)
    {
        for (int entry = RegionLayout.SectionTableOffset; ; entry += RegionLayout.SectionEntryBytes)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(entry)) == (uint)kind)
            {
                return (int)RegionBytes.Get64(bytes, entry + 8);
            }
        }
    }
}
