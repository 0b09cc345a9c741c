// An operation on a byte channel. The test's process creates it and looks at it afterwards; whatever died, the channel must then be as good
// as new: every lane takes a producer, every group place a consumer, every participant has its place, and messages pass.

using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.CrashTests.Operations;

internal abstract class ChannelOperation : Operation
{
    protected const string Name = "crash";
    protected static readonly TimeSpan Patience = ChildProcess.Patience;
    private ShmByteChannel? _channel;
    private ChannelRegion? _inside;
    private ShmChannelOptions? _options;

    protected ShmByteChannel Channel => _channel ?? throw new InvalidOperationException("There is no channel yet.");

    protected ShmChannelOptions Options => _options!;

    /// <summary>What users of the channel do not see: who is asleep, and who holds what.</summary>
    protected ChannelRegion Inside =>
        _inside ??= ChannelRegion.Attach(Name, "bytes", 0, new ShmChannelOptions { Root = Options.Root }, ChannelOpenMode.Open);

    protected virtual ShmChannelOptions OptionsIn(string root) =>
        new() { Root = root, LaneCapacityBytes = 4096, MaxProducers = 2, MaxGroups = 4, MaxParticipants = 6 };

    public override void SetStage(string root)
    {
        _options = OptionsIn(root);
        _channel = ShmByteChannel.Create(Name, _options);
        SetStage();
    }

    public override void Prepare(string root)
    {
        _options = OptionsIn(root);
        _channel = ShmByteChannel.Open(Name, _options);
        Prepare();
    }

    public override string Observe()
    {
        string outcome = Look();
        CheckChannel(Channel);
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
}
