// kill -9 while a channel is being created or deleted, and several processes that create the same one at once.

using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.Regions;

namespace ShmIpc.ProcessTests;

public sealed class CreatorKillTests(ITestOutputHelper output)
{
    private const string Name = "contested";
    private readonly ITestOutputHelper _output = output;

    [Theory]
    [InlineData(1, 50)]
    [InlineData(2, 25)]
    public void A_killed_creator_or_deleter_blocks_nobody_and_leaves_no_litter(int creators, int kills)
    {
        Campaign campaign = new(_output);
        using ScratchRoot root = new();
        ShmChannelOptions options = new() { Root = root.Path };
        int found = 0;
        for (int round = 0; round < Campaign.Rounds(kills); round++)
        {
            List<ChildProcess> children = [];
            try
            {
                for (int i = 0; i < creators; i++)
                {
                    children.Add(ChildProcess.StartReady("creator", ("root", root.Path), ("channel", Name)));
                }

                foreach (ChildProcess child in children)
                {
                    child.Send("go");
                }

                foreach (ChildProcess child in children)
                {
                    Thread.Sleep(campaign.Instant(TimeSpan.FromMilliseconds(15)));
                    child.Kill();
                }
            }
            finally
            {
                children.ForEach(child => child.Dispose());
            }

            string[] left = Directory.GetFileSystemEntries(root.Path).Select(path => Path.GetFileName(path)!).ToArray();
            Assert.True(left is [] or [Name], $"Round {round} (SHMIPC_SEED={campaign.Seed}): {string.Join(", ", left)}");
            found += left.Length;
            UseAndDelete(options);
            Assert.Empty(Directory.GetFileSystemEntries(root.Path));
        }

        _output.WriteLine($"{Campaign.Rounds(kills)} rounds, {found} of them left a region behind, which was used");
    }

    [Fact]
    public void A_region_whose_deleter_died_halfway_is_replaced()
    {
        using ScratchRoot root = new();
        ShmChannelOptions options = new() { Root = root.Path };
        CreateHalfDeleted(root, options);
        Assert.Throws<ShmRegionNotFoundException>(() => ShmByteChannel.Open(Name, options));
        ShmByteChannel.Create(Name, options).Dispose();
        UseAndDelete(options);
        Assert.Empty(Directory.GetFileSystemEntries(root.Path));
    }

    [Fact]
    public async Task Those_who_find_a_half_deleted_region_at_once_share_its_replacement()
    {
        // Each of them finishes the deletion if it must, and must not delete what another one has put there meanwhile.
        const int Openers = 4;
        using ScratchRoot root = new();
        ShmChannelOptions options = new() { Root = root.Path };
        for (int round = 0; round < Campaign.Rounds(100); round++)
        {
            CreateHalfDeleted(root, options);
            using Barrier start = new(Openers);
            ShmByteChannel[] channels = await Task.WhenAll(Enumerable.Range(0, Openers).Select(_ => Task.Factory.StartNew(
                () =>
                {
                    start.SignalAndWait();
                    return ShmByteChannel.CreateOrOpen(Name, options);
                },
                TaskCreationOptions.LongRunning)));
            ByteConsumer[] consumers = [.. channels.Select(channel => channel.CreateConsumer())];
            Assert.All(channels, channel => Assert.Equal(Openers, channel.ConsumerCount));
            Array.ForEach(consumers, consumer => consumer.Dispose());
            Array.ForEach(channels, channel => channel.Dispose());
            Assert.True(ShmChannel.Delete(Name, options.Root));
        }
    }

    [Fact]
    public void Processes_that_create_and_delete_at_once_leave_one_population()
    {
        using ScratchRoot root = new();
        List<ChildProcess> children = [];
        try
        {
            for (int i = 0; i < 4; i++)
            {
                children.Add(ChildProcess.StartReady("creator", ("root", root.Path), ("channel", Name)));
            }

            children.ForEach(child => child.Send("go"));
            ShmChannelOptions options = new() { Root = root.Path };
            for (int i = 0; i < Campaign.Rounds(300); i++)
            {
                // Whatever the others do, this is a channel, and either works or says that it was deleted.
                try
                {
                    using ShmByteChannel channel = ShmByteChannel.CreateOrOpen(Name, options);
                    using ByteProducer producer = channel.CreateProducer();
                    producer.Write("x"u8, ChildProcess.Patience);
                }
                catch (ShmRegionDeletedException)
                {
                }
            }

            Assert.All(children, child => Assert.False(child.HasExited, $"{child} failed"));
            children.ForEach(child => child.Kill());
            UseAndDelete(options);
        }
        finally
        {
            children.ForEach(child => child.Dispose());
        }

        Assert.Empty(Directory.GetFileSystemEntries(root.Path));
    }

    /// <summary>Leaves a region as a deleter does that dies between its mark and the unlink.</summary>
    private static void CreateHalfDeleted(ScratchRoot root, ShmChannelOptions options)
    {
        ShmByteChannel.Create(Name, options).Dispose();
        using FileStream file = new(root.FileOf(Name), FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.Position = RegionLayout.StateOffset;
        file.Write(BitConverter.GetBytes(RegionLayout.StateDeleted));
    }

    internal static void UseAndDelete(ShmChannelOptions options)
    {
        using ShmByteChannel channel = ShmByteChannel.CreateOrOpen(Name, options);
        using ByteConsumer consumer = channel.CreateConsumer();
        using ByteProducer producer = channel.CreateProducer();
        while (consumer.TryRead(out _))
        {
        }

        producer.Write("works"u8, ChildProcess.Patience);
        Assert.True(consumer.Read(ChildProcess.Patience).Payload.SequenceEqual("works"u8));
        Assert.True(ShmChannel.Delete(Name, options.Root));
    }
}
