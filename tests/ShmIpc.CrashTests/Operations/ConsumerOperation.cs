// A consumer that dies, and a producer in the test's process: it gets back all the room that the dead held.

using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.CrashTests.Operations;

internal abstract class ConsumerOperation : ChannelOperation
{
    /// <summary>Messages of 56 bytes that a lane of 4 KiB has room for: records of 64, and the terminator behind them.</summary>
    protected const int Full = 63;
    protected const string NobodyWaits = "its group is retired: no producer waits for it";
    private ByteProducer? _producer;
    private ByteConsumer? _consumer;

    public override string Role => "broadcast consumer";

    public override string[] Outcomes { get; } = [NobodyWaits];

    /// <summary>In the test's process.</summary>
    protected ByteProducer Producer => _producer!;

    /// <summary>In the victim's process.</summary>
    protected ByteConsumer Consumer => _consumer!;

    protected override void SetStage()
    {
        _producer = Channel.CreateProducer();
        for (int i = 0; i < Messages; i++)
        {
            _producer.Write(new byte[56], Patience);
        }
    }

    /// <summary>How many are there before the victim comes.</summary>
    protected virtual int Messages => 3;

    protected override void Prepare() => _consumer = Channel.CreateConsumer();

    protected override string Look()
    {
        using ByteProducer producer = Producer;
        for (int i = 0; i < 3 * Full; i++)
        {
            producer.Write(new byte[56], Patience);
        }

        Assert.Empty(Channel.Groups);
        return NobodyWaits;
    }
}
