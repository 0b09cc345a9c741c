using ShmIpc.Channels;
using ShmIpc.Memory;
using ShmIpc.Regions;
using ShmIpc.Rings;
using ShmIpc.Tests.Regions;
using Xunit;

namespace ShmIpc.Tests.Persistence;

/// <summary>Channels on a real disk: options, refusals, flushes, failures and restarts.</summary>
public sealed class DurableChannelTests
{
    private const string Name = "durable";
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(ShmFlushMode.None)]
    [InlineData(ShmFlushMode.Async)]
    [InlineData(ShmFlushMode.Sync)]
    public void A_channel_on_a_disk_carries_messages_and_keeps_them_over_a_restart(ShmFlushMode mode)
    {
        using DiskRoot root = new();
        ShmChannelOptions options = Options(root, mode);
        using (ShmByteChannel channel = ShmByteChannel.Create(Name, options))
        using (ByteProducer producer = channel.CreateProducer())
        {
            Assert.Equal((channel.LaneCapacityBytes / 2) - 24, producer.MaxMessageBytes);
            for (int i = 0; i < 100; i++)
            {
                producer.Write(BitConverter.GetBytes(i));
            }

            producer.Flush();
        }

        Restart(root);
        using ShmByteChannel again = ShmByteChannel.Open(Name, options);
        using ByteConsumer consumer = again.CreateConsumer();
        using ByteProducer successor = again.CreateProducer();
        successor.Write(BitConverter.GetBytes(100));
        for (int i = 0; i <= 100; i++)
        {
            ShmRecord record = consumer.Read(_patience);
            Assert.Equal(i, BitConverter.ToInt32(record.Payload));
            Assert.Equal(i, record.Sequence);
        }
    }

    [Fact]
    public async Task A_flush_or_a_write_is_awaited_or_cancelled_before_it_begins()
    {
        using DiskRoot root = new();
        using ShmByteChannel channel = ShmByteChannel.Create(Name, Options(root, ShmFlushMode.None));
        using ByteProducer producer = channel.CreateProducer();
        producer.Write("x"u8);
        await producer.FlushAsync(TestContext.Current.CancellationToken).WaitAsync(_patience);
        CancellationToken cancelled = new(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => producer.FlushAsync(cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await producer.WriteAsync(new byte[1], cancelled));
    }

    [Fact]
    public void A_durable_region_that_somebody_moved_into_memory_is_refused()
    {
        using DiskRoot root = new();
        using ScratchRoot memory = new();
        ShmByteChannel.Create(Name, Options(root, ShmFlushMode.Sync)).Dispose();
        File.Copy(root.FileOf(Name), memory.FileOf(Name));
        File.SetUnixFileMode(memory.FileOf(Name), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var error = Assert.Throws<ShmRegionFormatException>(() => ShmByteChannel.Open(Name, new() { Root = memory.Path }));
        Assert.Contains("lies in memory (tmpfs)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Batches_take_checksums_into_account_and_are_durable_when_their_write_returns()
    {
        using DiskRoot root = new();
        ShmChannelOptions options = Options(root, ShmFlushMode.Sync);
        ReadOnlyMemory<byte>[] messages =
        [
            .. Enumerable.Range(0, 127).Select(i => (ReadOnlyMemory<byte>)Enumerable.Repeat((byte)i, 496).ToArray()),
        ];
        using (ShmByteChannel channel = ShmByteChannel.Create(Name, options))
        {
            using ByteProducer producer = channel.CreateProducer();
            producer.WriteBatch(messages); // 512 bytes each: one more would leave no room for the terminator
            await producer.WriteBatchAsync(messages.AsMemory(), TestContext.Current.CancellationToken);
            using (Batch batch = producer.BeginBatch())
            {
                Assert.True(batch.TryWrite("aborted"u8));
            }

            using (Batch batch = producer.BeginBatch())
            {
                Assert.True(batch.TryWrite("published"u8));
                batch.Publish();
            }

            Assert.Throws<ShmBatchTooLargeException>(() => producer.TryWriteBatch([.. messages, messages[0]]));
            File.Copy(root.FileOf(Name), root.FileOf("copy"));
        }

        File.Move(root.FileOf("copy"), root.FileOf(Name), overwrite: true);
        Restart(root);
        using ShmByteChannel again = ShmByteChannel.Open(Name, options);
        using ByteConsumer consumer = again.CreateConsumer();
        ShmRecord record;
        for (record = consumer.Read(_patience); record.Sequence < 254; record = consumer.Read(_patience))
        {
            Assert.True(record.Payload.SequenceEqual(messages[(int)(record.Sequence % 127)].Span));
        }

        Assert.True(record.Payload.SequenceEqual("published"u8));
        Assert.False(consumer.TryRead(out _));
    }

    [Fact]
    public void A_channel_without_checksums_is_empty_after_a_restart_and_usable()
    {
        using DiskRoot root = new();
        ShmChannelOptions options = new() { Root = root.Path, LaneCapacityBytes = 65536 };
        using (ShmByteChannel channel = ShmByteChannel.Create(Name, options))
        using (ByteProducer producer = channel.CreateProducer())
        {
            producer.Write("unverifiable"u8);
            InvalidOperationException refused = Assert.Throws<InvalidOperationException>(producer.Flush);
            Assert.Contains("checksums", refused.Message, StringComparison.Ordinal);
        }

        Restart(root);
        using ShmByteChannel again = ShmByteChannel.Open(Name, options);
        using ByteConsumer consumer = again.CreateConsumer();
        Assert.False(consumer.TryRead(out _));
        using ByteProducer successor = again.CreateProducer();
        successor.Write("new"u8);
        Assert.True(consumer.Read(_patience).Payload.SequenceEqual("new"u8));
    }

    [Fact]
    public void Memory_cannot_be_durable()
    {
        using ScratchRoot root = new();
        Assert.SkipUnless(RootIsInMemory(root.Path), "The scratch directory is not on tmpfs.");
        foreach (ShmFlushMode mode in new[] { ShmFlushMode.Async, ShmFlushMode.Sync })
        {
            ShmException refused = Assert.ThrowsAny<ShmException>(
                () => ShmByteChannel.Create(Name, new ShmChannelOptions { Root = root.Path, Flush = mode }));
            Assert.Contains("tmpfs", refused.Message, StringComparison.Ordinal);
            Assert.Empty(Directory.EnumerateFileSystemEntries(root.Path));
        }

        using ShmByteChannel channel = ShmByteChannel.Create(Name, new ShmChannelOptions { Root = root.Path, Checksums = true });
        using ByteProducer producer = channel.CreateProducer();
        producer.Write("checked"u8);
        Assert.Throws<InvalidOperationException>(producer.Flush);
    }

    [Fact]
    public void Options_are_checked_and_an_opener_that_asks_for_others_is_refused()
    {
        using DiskRoot root = new();
        Assert.Throws<ArgumentOutOfRangeException>(() => new ShmChannelOptions { Flush = (ShmFlushMode)7 }.Validate());
        Assert.Throws<ArgumentOutOfRangeException>(() => new ShmChannelOptions { FlushPeriod = TimeSpan.Zero }.Validate());
        Assert.Throws<ArgumentOutOfRangeException>(() => new ShmChannelOptions { FlushPeriod = TimeSpan.FromHours(2) }.Validate());
        Assert.Throws<ArgumentException>(() => new ShmChannelOptions { Flush = ShmFlushMode.Sync, Checksums = false }.Validate());
        Assert.Throws<ArgumentException>(() => ShmByteChannel.Create(
            Name, new ShmChannelOptions { Root = root.Path, FlushPeriod = TimeSpan.FromSeconds(1) }));
        ShmChannelOptions options = Options(root, ShmFlushMode.Async);
        using ShmByteChannel channel = ShmByteChannel.Create(Name, options);
        using (ShmByteChannel.Open(Name, new ShmChannelOptions { Root = root.Path }))
        {
        }

        foreach (ShmChannelOptions other in new[]
        {
            new ShmChannelOptions { Root = root.Path, Flush = ShmFlushMode.Sync },
            new ShmChannelOptions { Root = root.Path, FlushPeriod = TimeSpan.FromSeconds(3) },
            new ShmChannelOptions { Root = root.Path, Checksums = false },
        })
        {
            Assert.Contains(
                "was asked for",
                Assert.Throws<ShmRegionFormatException>(() => ShmByteChannel.Open(Name, other)).Message,
                StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(PersistenceSettings.FlushSetting, 3)]
    [InlineData(PersistenceSettings.FlushSetting, ulong.MaxValue)]
    [InlineData(PersistenceSettings.FlushSetting, 0)] // with a period
    [InlineData(PersistenceSettings.FlushPeriodSetting, 0)]
    [InlineData(PersistenceSettings.FlushPeriodSetting, 1UL << 40)]
    [InlineData(PersistenceSettings.ChecksumsSetting, 0)]
    [InlineData(PersistenceSettings.ChecksumsSetting, 2)]
    public void Hostile_settings_are_refused(int word, ulong value)
    {
        using DiskRoot root = new();
        using (ShmByteChannel.Create(Name, Options(root, ShmFlushMode.Async)))
        {
        }

        RegionBytes.EditHeader(root.FileOf(Name), header => RegionBytes.Put64(header, RegionLayout.SettingsOffset + (word * 8), value));
        Assert.Contains(
            "settings of persistence",
            Assert.Throws<ShmRegionFormatException>(() => ShmByteChannel.Open(Name, new ShmChannelOptions { Root = root.Path })).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_region_in_use_that_forgets_its_boot_is_refused_and_not_recovered_under_its_users()
    {
        using DiskRoot root = new();
        using ShmByteChannel channel = ShmByteChannel.Create(Name, Options(root, ShmFlushMode.None));
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer consumer = channel.CreateConsumer();
        producer.Write("kept"u8);
        Restart(root, isInUse: true);
        ShmRegionFormatException refused = Assert.Throws<ShmRegionFormatException>(
            () => ShmByteChannel.Open(Name, new ShmChannelOptions { Root = root.Path }));
        Assert.Contains("in use", refused.Message, StringComparison.Ordinal);
        Assert.True(consumer.Read(_patience).Payload.SequenceEqual("kept"u8));
    }

    [Fact]
    public void A_cursor_behind_the_end_of_a_cut_lane_is_brought_back_and_no_stamp_comes_again()
    {
        using DiskRoot root = new();
        ShmChannelOptions options = Options(root, ShmFlushMode.Sync);
        ulong owner;
        using (ChannelAttachment channel = new(Name, "bytes", 0, options, ChannelOpenMode.Create))
        {
            using ChannelProducer producer = channel.CreateProducer();
            using ChannelConsumer consumer = channel.CreateConsumer(null);
            owner = channel.Region.Lane(0).Owner;
            Assert.True(producer.TryReserve(5));
            producer.Writer.Write("hello"u8);
            channel.Region.CursorEntry(0, 0).UInt64(0) = 1 << 20; // newer than the data, as after a power cut
            channel.Region.Lane(0).Completion = new Stamp(new Stamp(owner).Epoch + 5, 0).Value;
        }

        Restart(root);
        using ChannelAttachment again = new(Name, "bytes", 0, options, ChannelOpenMode.Open);
        Assert.Equal(24UL, again.Region.CursorEntry(0, 0).UInt64(0));
        using ChannelProducer successor = again.CreateProducer();
        Assert.True(new Stamp(again.Region.Lane(0).Owner).Epoch > new Stamp(owner).Epoch + 5);
        Assert.False(again.Region.IsCompleted());
    }

    [Theory]
    [InlineData(GroupKind.Exclusive)]
    [InlineData(GroupKind.Shared)]
    public void A_durable_group_survives_and_goes_on_and_an_ephemeral_one_does_not(GroupKind kind)
    {
        using DiskRoot root = new();
        ShmChannelOptions options = Options(root, ShmFlushMode.Sync);
        ConsumerOptions durable = new() { Group = "kept", Kind = kind, Durable = true };
        using (ShmByteChannel channel = ShmByteChannel.Create(Name, options))
        {
            // Left in use, as a power cut does: nobody leaves, and what the file holds is copied.
            using ByteConsumer member = channel.CreateConsumer(durable);
            using ByteConsumer other = channel.CreateConsumer();
            using ByteProducer producer = channel.CreateProducer();
            for (int i = 0; i < 10; i++)
            {
                producer.Write(BitConverter.GetBytes(i));
            }

            Assert.Equal(0, BitConverter.ToInt32(member.Read(_patience).Payload));
            Assert.Equal(1, BitConverter.ToInt32(member.Read(_patience).Payload));
            File.Copy(root.FileOf(Name), root.FileOf("copy"));
        }

        File.Move(root.FileOf("copy"), root.FileOf(Name), overwrite: true);
        Restart(root);
        using ShmByteChannel again = ShmByteChannel.Open(Name, options);
        Assert.Equal(0, again.ConsumerCount);
        using ByteConsumer successor = again.CreateConsumer(durable);
        int first = BitConverter.ToInt32(successor.Read(_patience).Payload);
        Assert.InRange(first, 0, 1); // 0 was acknowledged, and may come again
        for (int i = first + 1; i < 10; i++)
        {
            Assert.Equal(i, BitConverter.ToInt32(successor.Read(_patience).Payload));
        }

        using ByteConsumer newcomer = again.CreateConsumer(); // both entries are free but for the durable one
        Assert.Equal(0, BitConverter.ToInt32(newcomer.Read(_patience).Payload));
    }

    [Fact]
    public async Task What_the_background_thread_has_flushed_is_what_was_published()
    {
        using DiskRoot root = new();
        CountingDisk disk = new();
        ShmChannelOptions options = Options(root, ShmFlushMode.Async) with { FlushPeriod = TimeSpan.FromMilliseconds(5), Disk = disk };
        using ShmByteChannel channel = ShmByteChannel.Create(Name, options);
        using ByteProducer producer = channel.CreateProducer();
        producer.Write("the lane has its room"u8);
        producer.Flush();
        int before = disk.Flushes;
        producer.Write("soon"u8);
        await Eventually(() => disk.Flushes > before);
        before = disk.Flushes;
        await Task.Delay(50, TestContext.Current.CancellationToken);
        Assert.Equal(before, disk.Flushes); // nothing was published since, so there is nothing to flush
    }

    [Fact]
    public async Task Writers_that_wait_at_the_same_time_share_a_flush()
    {
        using DiskRoot root = new();
        using ManualResetEventSlim gate = new(true);
        CountingDisk disk = new() { Gate = gate };
        using ShmByteChannel channel = ShmByteChannel.Create(Name, Options(root, ShmFlushMode.Sync) with { Disk = disk });
        using ByteProducer producer = channel.CreateProducer();
        producer.Write("the lane has its room"u8);
        int before = disk.Flushes;
        gate.Reset();
        Task[] writers = [.. Enumerable.Range(0, 8).Select(i => OwnThread.Run(() => producer.Write(BitConverter.GetBytes(i))))];
        using ByteConsumer consumer = channel.CreateConsumer();
        await Eventually(() => consumer.Count == 9); // all published, none durable
        Assert.DoesNotContain(writers, writer => writer.IsCompleted);
        gate.Set();
        await Task.WhenAll(writers).WaitAsync(_patience, TestContext.Current.CancellationToken);
        Assert.InRange(disk.Flushes - before, 1, 2);
    }

    [Fact]
    public async Task A_refusal_of_the_disk_reaches_the_writer_and_stays()
    {
        using DiskRoot root = new();
        CountingDisk disk = new();
        using ShmByteChannel channel = ShmByteChannel.Create(Name, Options(root, ShmFlushMode.Sync) with { Disk = disk });
        ByteProducer producer = channel.CreateProducer();
        producer.Write("fine"u8);
        disk.IsBroken = true;
        Assert.Contains("EIO", Assert.ThrowsAny<ShmException>(() => producer.TryWrite("lost"u8)).Message, StringComparison.Ordinal);
        disk.IsBroken = false; // the kernel would say so, too: it has forgotten the pages
        foreach (Action attempt in new Action[] { () => producer.TryWrite("again"u8), producer.Flush, producer.Dispose })
        {
            ShmException refused = Assert.ThrowsAny<ShmException>(attempt);
            Assert.Contains("EIO", refused.Message, StringComparison.Ordinal);
            Assert.Equal(5, refused.ErrorNumber);
        }

        using ByteProducer successor = channel.CreateProducer(); // the lane is free
        await successor.WriteAsync("goes on"u8.ToArray(), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_refusal_in_the_background_is_the_next_writers()
    {
        using DiskRoot root = new();
        CountingDisk disk = new();
        ShmChannelOptions options = Options(root, ShmFlushMode.Async) with { FlushPeriod = TimeSpan.FromMilliseconds(1), Disk = disk };
        using ShmByteChannel channel = ShmByteChannel.Create(Name, options);
        ByteProducer producer = channel.CreateProducer();
        producer.Write("the lane has its room"u8);
        producer.Flush();
        disk.IsBroken = true;
        producer.TryWrite("lost"u8);
        await Eventually(() => disk.Refusals > 0);
        disk.IsBroken = false;
        await Eventually(() => Record.Exception(() => producer.TryWrite("next"u8)) is ShmException);
        Assert.ThrowsAny<ShmException>(producer.Dispose);
    }

    private static ShmChannelOptions Options(DiskRoot root, ShmFlushMode mode) => new()
    {
        Root = root.Path,
        LaneCapacityBytes = 65536,
        MaxProducers = 2,
        MaxGroups = 2,
        Flush = mode,
        Checksums = true,
    };

    private static bool RootIsInMemory(string path)
    {
        using Microsoft.Win32.SafeHandles.SafeFileHandle directory = ShmIpc.Interop.LinuxFile.OpenDirectory(path);
        return RegionRoot.IsInMemory(directory);
    }

    /// <summary>Another boot, as far as the region can tell.</summary>
    private static void Restart(DiskRoot root, bool isInUse = false)
    {
        if (!isInUse)
        {
            root.AwaitDetached(Name);
        }

        using FileStream file = new(root.FileOf(Name), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        file.Position = RegionLayout.OrderedInBootOffset;
        file.Write(Guid.NewGuid().ToByteArray());
    }

    private static async Task Eventually(Func<bool> condition)
    {
        for (DateTime end = DateTime.UtcNow + _patience; !condition(); await Task.Delay(1, TestContext.Current.CancellationToken))
        {
            Assert.True(DateTime.UtcNow < end, "It does not happen.");
        }
    }

    /// <summary>The real disk, with a count, a gate, and a switch that breaks it.</summary>
    private sealed class CountingDisk : IRegionDisk
    {
        private int _flushes;
        private int _refusals;

        public int Flushes => Volatile.Read(ref _flushes);

        public int Refusals => Volatile.Read(ref _refusals);

        public bool IsBroken { get; set; }

        public ManualResetEventSlim? Gate { get; init; }

        public void Flush(MemoryMapping mapping, long fileOffset, long offset, long lengthBytes)
        {
            Gate?.Wait(_patience);
            if (IsBroken)
            {
                Interlocked.Increment(ref _refusals);
                throw ShmIpc.Interop.LinuxError.ToException(5, "msync", $"offset {offset}, length {lengthBytes}, MS_SYNC");
            }

            KernelDisk.Instance.Flush(mapping, fileOffset, offset, lengthBytes);
            Interlocked.Increment(ref _flushes);
        }

        public void SyncName(RegionFile region) => KernelDisk.Instance.SyncName(region);
    }
}
