// An operation on a byte channel. The test's process creates it and looks at it afterwards; whatever died, the channel must then be as good
// as new: every lane takes a producer, every group's place a consumer, every participant's slot a participant, messages pass, nobody
// holds a lock, and it can be deleted.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Channels;
using ShmIpc.Interop;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.Regions;

namespace ShmIpc.CrashTests.Operations;

internal abstract class ChannelOperation : Operation
{
    protected const string Name = "crash";
    protected static readonly TimeSpan Patience = ChildProcess.Patience;
    private ShmByteChannel? _channel;
    private ChannelRegion? _inside;
    private ShmChannelOptions? _options;
    private string? _root;

    protected string Root => _root ?? throw new InvalidOperationException("There is no stage yet.");

    protected ShmByteChannel Channel => _channel ?? throw new InvalidOperationException("There is no channel yet.");

    protected ShmChannelOptions Options => _options!;

    /// <summary>What users of the channel do not see: who is asleep, and who holds what.</summary>
    protected ChannelRegion Inside => _inside ??= ChannelRegion.Attach(Name, "bytes", 0, OptionsIn(Root), ChannelOpenMode.Open);

    /// <summary>All that the root has.</summary>
    protected virtual IEnumerable<string> Regions => [Name];

    protected virtual ShmChannelOptions OptionsIn(string root) =>
        new() { Root = root, LaneCapacityBytes = 4096, MaxProducers = 2, MaxGroups = 4, MaxParticipants = 8 };

    public override void SetStage(string root)
    {
        _root = root;
        _options = OptionsIn(root);
        _channel = ShmByteChannel.Create(Name, _options);
        SetStage();
    }

    public override void Prepare(string root)
    {
        _root = root;
        _options = OptionsIn(root);
        _channel = ShmByteChannel.Open(Name, _options);
        Prepare();
    }

    public override string Observe()
    {
        string outcome = Look();
        CheckChannel(Channel);
        CheckRegion();
        return outcome;
    }

    public override void Dispose()
    {
        _inside?.ReleaseReference();
        _channel?.Dispose();
    }

    /// <summary>Who else is there, in the test's process.</summary>
    protected virtual void SetStage()
    {
    }

    /// <summary>What the victim needs for the operation.</summary>
    protected abstract void Prepare();

    /// <summary>Several laps of a lane, in nobody's way but that of whoever is dead.</summary>
    protected void WriteLaps()
    {
        using ByteProducer producer = Channel.CreateProducer();
        for (int i = 0; i < 200; i++)
        {
            producer.Write(new byte[100], Patience);
        }
    }

    /// <summary>The next producer continues the first lane: behind all messages, of which each is its own number.</summary>
    protected void ContinueLane(ByteConsumer consumer, int messages)
    {
        using ByteProducer next = Channel.CreateProducer();
        Assert.Equal(0, next.Lane);
        next.Write([(byte)messages], Patience);
        for (int i = 0; i <= messages; i++)
        {
            ShmRecord record = consumer.Read(Patience);
            Assert.Equal((i, (long)i), ((int)record.Payload[0], record.Sequence));
        }

        Assert.False(consumer.TryRead(out _));
    }

    /// <summary>Which of the outcomes it is; ends those who are left.</summary>
    protected abstract string Look();

    /// <summary>All lanes and all places for groups can be taken, and every group gets every message.</summary>
    protected void CheckChannel(ShmByteChannel channel)
    {
        Assert.Equal((0, 0), (channel.ProducerCount, channel.ConsumerCount));
        foreach (ShmGroup group in channel.Groups.Where(group => group.Name is not null))
        {
            channel.DeleteGroup(group.Name!); // a durable one holds messages back, and a place
        }

        List<ByteConsumer> consumers = [];
        List<ByteProducer> producers = [];
        try
        {
            for (int group = 0; group < Options.MaxGroups; group++)
            {
                consumers.Add(channel.CreateConsumer(new() { Start = StartPosition.Latest }));
            }

            for (int lane = 0; lane < Options.MaxProducers; lane++)
            {
                producers.Add(channel.CreateProducer());
            }

            int others = (int)Options.MaxParticipants! - consumers.Count - producers.Count;
            for (int slot = 0; slot < others; slot++)
            {
                consumers.Add(channel.CreateObserver(StartPosition.Latest));
            }

            Assert.Throws<ShmLimitException>(() => channel.CreateObserver(StartPosition.Latest));
            foreach (ByteProducer producer in producers)
            {
                for (int i = 0; i < 200; i++) // several laps
                {
                    byte[] payload = [(byte)producer.Lane, .. BitConverter.GetBytes(i), .. new byte[100]];
                    producer.Write(payload, Patience);
                    foreach (ByteConsumer consumer in consumers)
                    {
                        Assert.Equal(payload, consumer.Read(Patience).Payload.ToArray());
                    }
                }
            }
        }
        finally
        {
            producers.ForEach(producer => producer.Dispose());
            consumers.ForEach(consumer => consumer.Dispose());
        }
    }

    /// <summary>Nobody holds a lock, the root has this region and nothing else, and it can be deleted.</summary>
    private void CheckRegion()
    {
        using (SafeFileHandle directory = LinuxFile.OpenDirectory(Root))
        using (SafeFileHandle file = LinuxFile.TryOpenAt(directory, Name, out _)!)
        {
            Assert.False(LinuxFile.IsLocked(file, RegionLocks.Lifecycle, 1));
            Assert.False(LinuxFile.IsLocked(file, RegionLocks.Recovery, 1));
            Assert.False(LinuxFile.IsLocked(file, RegionLocks.Groups, 1));
            _inside?.ReleaseReference();
            _inside = null;
            Channel.Dispose();
            // A process that is being started has our files, too, until it becomes another program.
            Eventually.True(() => !LinuxFile.IsLocked(file, 0, long.MaxValue), "nobody holds any lock");
        }

        Assert.Equal(Regions.Order(), Directory.GetFileSystemEntries(Root).Select(path => Path.GetFileName(path)!).Order());
        Assert.All(Regions, name => Assert.True(ShmChannel.Delete(name, Root)));
        Assert.Empty(Directory.GetFileSystemEntries(Root));
    }
}
