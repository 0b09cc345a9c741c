// Coming and going costs nothing that stays: descriptors, mappings, slots, files. (LeftoverCheck looks at files and processes at the end.)

using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests;

public sealed class LeakTests(ITestOutputHelper output)
{
    private readonly ITestOutputHelper _output = output;

    [Fact]
    public void Attaching_and_detaching_leaves_descriptors_and_mappings_as_before()
    {
        const int Times = 500;
        const int Slack = 100; // the runtime's own comings and goings; one thing leaked each time would be five times that
        using TestChannel test = new(16 * 1024, maxProducers: 2);
        ChildProcess other = test.Start("consumer-holder", ("read", 0));
        AttachAndDetach(test);
        (int descriptors, int maps, int own) = Held(test.Root);
        for (int i = 0; i < Times; i++)
        {
            AttachAndDetach(test);
        }

        (int descriptorsAfter, int mapsAfter, int ownAfter) = Held(test.Root);
        _output.WriteLine(
            $"descriptors {descriptors} -> {descriptorsAfter}, mappings {maps} -> {mapsAfter}, of regions {own} -> {ownAfter}");
        Assert.Equal(own, ownAfter);
        Assert.InRange(descriptorsAfter, 0, descriptors + 10);
        Assert.InRange(mapsAfter, 0, maps + Slack);
        Assert.Equal(1, test.Channel.ConsumerCount);
        Assert.Equal(0, test.Channel.ProducerCount);
        Assert.False(other.HasExited);
    }

    [Fact]
    public void A_deleted_channel_frees_its_memory_when_the_last_one_leaves()
    {
        using ScratchRoot root = new();
        ShmChannelOptions options = new() { Root = root.Path, LaneCapacityBytes = 64 * 1024 };
        using (ShmByteChannel channel = ShmByteChannel.Create("gone", options))
        {
            using ByteProducer producer = channel.CreateProducer();
            using ByteConsumer consumer = channel.CreateConsumer();
            Assert.True(ShmChannel.Delete("gone", root.Path));
            Assert.Throws<ShmRegionDeletedException>(() => producer.Write("x"u8, ChildProcess.Patience));
            Assert.Throws<ShmRegionDeletedException>(() => consumer.Read(ChildProcess.Patience));
        }

        (_, _, int own) = Held(root.Path);
        Assert.Equal(0, own);
        Assert.Empty(Directory.GetFileSystemEntries(root.Path));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Slots_of_the_dead_that_held_messages_of_an_ephemeral_group_are_free_when_they_are_needed(bool isEvicted)
    {
        const int Members = 3;
        using ScratchRoot root = new();
        using ProgressFile progress = new(root.FileOf("progress"));
        ShmChannelOptions options = new()
        {
            Root = root.Path,
            LaneCapacityBytes = 16 * 1024,
            MaxProducers = 1,
            MaxParticipants = Members + 1,
            EvictAfter = isEvicted ? TimeSpan.FromMilliseconds(100) : null,
        };
        using ShmByteChannel channel = ShmByteChannel.Create("claims", options);
        using (ByteProducer producer = channel.CreateProducer())
        {
            using SpareChildren spares = new(Members);
            ChildProcess[] members = [.. Enumerable.Range(0, Members).Select(_ => spares.Take(
                $"heir root={root.Path} channel=claims progress={progress.Path} group=squad durable=0"))];
            foreach (ChildProcess member in members)
            {
                member.Expect("waiting");
            }

            for (int i = 0; i < Members; i++)
            {
                producer.Write("job"u8, ChildProcess.Patience);
            }

            Eventually.True(() => channel.Groups.Single().InFlight == Members, "each member holds a message");
            while (isEvicted && channel.Groups.Count > 0)
            {
                producer.Write(new byte[1000], ChildProcess.Patience); // at last there is no room, and nobody moves
            }

            foreach (ChildProcess member in members)
            {
                member.Kill();
                member.Dispose();
            }
        }

        ByteConsumer[] all = [.. Enumerable.Range(0, Members + 1).Select(_ => channel.CreateObserver(StartPosition.Latest))];
        Array.ForEach(all, observer => observer.Dispose());
        using ByteProducer next = channel.CreateProducer();
        using ByteConsumer heir = channel.CreateConsumer(new ConsumerOptions { Group = "squad", Kind = GroupKind.Shared });
        next.Write("new"u8, ChildProcess.Patience);
        Assert.Equal(1, heir.Read(ChildProcess.Patience).DeliveryCount); // of what they held nothing is left, or the group is another one
    }

    [Fact]
    public void A_child_dies_with_its_test_and_is_reaped()
    {
        int id;
        using (TestChannel test = new(16 * 1024))
        {
            ChildProcess child = test.Start("consumer-holder", ("read", 0));
            id = child.Id;
            child.Stop();
            Assert.Contains(id, Linux.Children());
        }

        Eventually.True(() => !Linux.Children().Contains(id), "the child is gone");
    }

    private static void AttachAndDetach(TestChannel test)
    {
        using ShmByteChannel channel = ShmByteChannel.Open(TestChannel.Name, test.Options);
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer consumer = channel.CreateConsumer();
        producer.Write("x"u8, ChildProcess.Patience);
        _ = consumer.Read(ChildProcess.Patience);
    }

    /// <summary>Descriptors, mappings, and how many of both belong to files under <paramref name="root"/>.</summary>
    private static (int Descriptors, int Maps, int Own) Held(string root)
    {
        string[] descriptors = Directory.GetFiles("/proc/self/fd");
        string[] maps = File.ReadAllLines("/proc/self/maps");
        int own = maps.Count(line => line.Contains(root, StringComparison.Ordinal))
            + descriptors.Count(path => new FileInfo(path).LinkTarget?.StartsWith(root, StringComparison.Ordinal) == true);
        return (descriptors.Length, maps.Length, own);
    }
}
