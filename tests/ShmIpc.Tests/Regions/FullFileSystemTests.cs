using System.Text;
using ShmIpc.Channels;
using ShmIpc.Interop;
using Tmds.Linux;
using Xunit;

namespace ShmIpc.Tests.Regions;

/// <summary>Too little shared memory is an exception of whoever asks for it, before anything was taken, and never a signal later.</summary>
public sealed unsafe class FullFileSystemTests : IDisposable
{
    private const int MNT_DETACH = 2;
    private const long SizeBytes = 256 * 1024;
    private readonly ScratchRoot _outer = new();
    private bool _isMounted;

    [Fact]
    public void A_channel_that_can_never_be_used_is_refused_with_the_sizes()
    {
        string root = Mount();
        ShmNoSpaceException refused = RegionScene.Refused<ShmNoSpaceException>(
            root,
            () => ShmByteChannel.CreateOrOpen("x", new ShmChannelOptions { Root = root, LaneCapacityBytes = 1 << 20 }),
            root, "bytes before its first message", "LaneCapacityBytes", "remount,size=", "--shm-size");
        Assert.InRange(refused.RequestedBytes, 1 << 20, 2 << 20);
        Assert.InRange(refused.AvailableBytes, 1, SizeBytes);
        Assert.Contains($"{refused.RequestedBytes} bytes", refused.Message, StringComparison.Ordinal);
        Assert.Contains($"{refused.AvailableBytes} free", refused.Message, StringComparison.Ordinal);
        Assert.False(ShmChannel.Exists("x", root));
    }

    [Fact]
    public void A_lane_that_finds_no_room_is_refused_and_the_others_go_on()
    {
        string root = Mount();
        ShmChannelOptions options = new()
        {
            Root = root,
            LaneCapacityBytes = 128 * 1024,
            MaxProducers = 2,
            MaxGroups = 1,
            MaxParticipants = 4,
        };
        using ShmByteChannel channel = ShmByteChannel.CreateOrOpen("x", options);
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer consumer = channel.CreateConsumer();
        for (int attempt = 0; attempt < 5; attempt++) // more often than there are participants: a refusal keeps none
        {
            ShmNoSpaceException refused = RegionScene.Refused<ShmNoSpaceException>(
                root, () => channel.CreateProducer(), "131072 bytes were asked for", "bytes free of 262144", "remount,size=");
            Assert.Equal(131072, refused.RequestedBytes);
            Assert.InRange(refused.AvailableBytes, 0, SizeBytes);
        }

        Assert.Equal(1, channel.ProducerCount);
        for (int i = 0; i < 1000; i++)
        {
            Assert.True(producer.TryWrite(new byte[1000]));
            Assert.True(consumer.TryRead(out _));
        }
    }

    [Fact]
    public void A_lane_beyond_the_whole_of_shared_memory_is_refused()
    {
        const long largest = 512L << 20;
        using (Microsoft.Win32.SafeHandles.SafeFileHandle directory = LinuxFile.OpenDirectory(_outer.Path))
        {
            long available = LinuxFile.AvailableBytes(directory);
            Assert.SkipWhen(available > largest, $"Shared memory has {available} bytes free, more than the largest lane.");
        }

        ShmNoSpaceException refused = RegionScene.Refused<ShmNoSpaceException>(
            _outer.Path, () => ShmByteChannel.CreateOrOpen("x", new ShmChannelOptions { Root = _outer.Path, LaneCapacityBytes = largest }),
                "--shm-size");
        Assert.True(refused.RequestedBytes > largest);
    }

    public void Dispose()
    {
        if (_isMounted)
        {
            fixed (byte* target = Target)
            {
                _ = LibC.umount2(target, MNT_DETACH);
            }
        }

        _outer.Dispose();
    }

    private byte[] Target => Encoding.UTF8.GetBytes(_outer.FileOf("full") + '\0');

    private string Mount()
    {
        string root = _outer.FileOf("full");
        Directory.CreateDirectory(root);
        fixed (byte* type = "tmpfs\0"u8, target = Target, data = "size=256k,mode=0700\0"u8)
        {
            _isMounted = LibC.mount(type, target, type, 0, data) == 0;
            string failure = _isMounted ? "" : LinuxError.NameOf(LibC.errno);
            Assert.SkipUnless(_isMounted, $"A small tmpfs to fill cannot be mounted here ({failure}); run as root.");
        }

        return root;
    }
}
