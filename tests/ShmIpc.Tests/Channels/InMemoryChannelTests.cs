// Channels in a sealed memory file, without a name in any file system.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Channels;
using ShmIpc.Regions;
using ShmIpc.Serialization;
using Xunit;

namespace ShmIpc.Tests.Channels;

public sealed class InMemoryChannelTests
{
    private static readonly ShmChannelOptions _small = new() { LaneCapacityBytes = 16 * 1024, MaxProducers = 2, MaxGroups = 2 };

    [Fact]
    public void A_channel_lives_in_memory_without_a_name()
    {
        string name = $"jobs-{Guid.NewGuid():N}";
        string root = RegionRoot.PathOf(null);
        bool isRootThere = Directory.Exists(root);
        using SafeFileHandle memory = RegionFile.NewMemory(name);
        ShmChannelOptions options = _small with { Memory = memory };
        using ShmByteChannel creator = ShmByteChannel.Create(name, options);
        using ShmByteChannel opener = ShmByteChannel.Open(name, new ShmChannelOptions { Memory = memory });
        using ByteProducer producer = creator.CreateProducer();
        using ByteConsumer consumer = opener.CreateConsumer();
        producer.Write("hello"u8);
        Assert.True(consumer.TryRead(out ShmRecord record));
        Assert.Equal("hello"u8, record.Payload);
        Assert.Equal(16 * 1024, opener.LaneCapacityBytes);

        // Where it would be if it had a name; other tests have directories of their own beside that.
        Assert.Equal(isRootThere, Directory.Exists(root));
        Assert.False(File.Exists(Path.Combine(root, name)));
        string[] mapped = [.. File.ReadLines("/proc/self/maps").Where(line => line.Contains(name, StringComparison.Ordinal))];
        Assert.NotEmpty(mapped);
        Assert.All(mapped, line => Assert.Contains($" /memfd:shmipc-{name}", line, StringComparison.Ordinal));
    }

    [Fact]
    public void Typed_channels_open_what_was_made_and_refuse_another_format()
    {
        using SafeFileHandle memory = RegionFile.NewMemory("jobs");
        ShmChannelOptions options = _small with { Memory = memory };
        using ShmChannel<string> creator = ShmChannel.Create("jobs", new StringPayload(), options);
        using Producer<string> producer = creator.CreateProducer();
        using ShmChannel<string> opener = ShmChannel.Open("jobs", new StringPayload(), options);
        using Consumer<string> consumer = opener.CreateConsumer();
        Assert.True(producer.TryWrite("hello"));
        Assert.True(consumer.TryRead(out string? text));
        Assert.Equal("hello", text);
        Assert.Throws<ShmRegionFormatException>(() => ShmByteChannel.Open("jobs", options));
        Assert.Throws<ShmRegionExistsException>(() => ShmChannel.Create("jobs", new StringPayload(), options));
    }

    [Fact]
    public void Nobody_can_truncate_it()
    {
        using SafeFileHandle memory = RegionFile.NewMemory("jobs");
        using ShmByteChannel channel = ShmByteChannel.Create("jobs", _small with { Memory = memory });
        long lengthBytes = RandomAccess.GetLength(memory);
        Assert.ThrowsAny<Exception>(() => RandomAccess.SetLength(memory, 4096));
        Assert.ThrowsAny<Exception>(() => RandomAccess.SetLength(memory, lengthBytes + 4096));
        Assert.Equal(lengthBytes, RandomAccess.GetLength(memory));
    }

    [Fact]
    public void What_could_be_truncated_is_refused()
    {
        using SafeFileHandle sealedMemory = RegionFile.NewMemory("jobs");
        using ShmByteChannel channel = ShmByteChannel.Create("jobs", _small with { Memory = sealedMemory });
        using SafeFileHandle copy = RegionFile.NewMemory("copy");
        byte[] bytes = new byte[RandomAccess.GetLength(sealedMemory)];
        RandomAccess.Read(sealedMemory, bytes, 0);
        RandomAccess.Write(copy, bytes, 0);
        ShmRegionFormatException refused = Assert.Throws<ShmRegionFormatException>(
            () => ShmByteChannel.Open("copy", new ShmChannelOptions { Memory = copy }));
        Assert.Contains("sealed", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_attachment_has_locks_of_its_own_and_outlives_the_handle()
    {
        SafeFileHandle memory = RegionFile.NewMemory("jobs");
        using ShmByteChannel first = ShmByteChannel.Create("jobs", _small with { Memory = memory });
        using ShmByteChannel second = ShmByteChannel.Open("jobs", new ShmChannelOptions { Memory = memory });
        memory.Dispose();
        using ByteProducer one = first.CreateProducer();
        using (ByteProducer two = second.CreateProducer())
        {
            Assert.Equal(2, first.ProducerCount);
            Assert.NotEqual(one.Lane, two.Lane);
        }

        Assert.Equal(1, second.ProducerCount);
    }

    [Fact]
    public void Who_is_attached_learns_that_its_owner_is_done_with_it()
    {
        using SafeFileHandle memory = RegionFile.NewMemory("jobs");
        using ShmByteChannel channel = ShmByteChannel.Create("jobs", _small with { Memory = memory });
        using ByteConsumer consumer = channel.CreateConsumer();
        RegionFile.DeleteInMemory("jobs", memory);
        Assert.Throws<ShmRegionDeletedException>(() => channel.CreateProducer());
        Assert.Throws<ShmRegionDeletedException>(() => consumer.WaitToRead(TimeSpan.FromSeconds(60)));
        Assert.Throws<ShmRegionDeletedException>(() => ShmByteChannel.Open("jobs", new ShmChannelOptions { Memory = memory }));
    }

    [Fact]
    public void Durability_is_refused()
    {
        using SafeFileHandle memory = RegionFile.NewMemory("jobs");
        ShmException refused = Assert.Throws<ShmException>(
            () => ShmByteChannel.Create("jobs", _small with { Memory = memory, Flush = ShmFlushMode.Sync }));
        Assert.Contains("Flush", refused.Message, StringComparison.Ordinal);
    }
}
