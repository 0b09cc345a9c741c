// Publisher and reader take turns: one publishes a burst while the other only waits for its turn, then all groups read it. So what a burst
// costs does not depend on who happens to read meanwhile, or on the scheduler. Two channels of their own carry the turn; both sides spin.

using System.Buffers.Binary;
using ShmIpc.Channels;
using ShmIpc.Waiting;

namespace ShmIpc.Benchmarks.Topology;

internal sealed class Turns : IDisposable
{
    private const string ThereName = "turn-there";
    private const string BackName = "turn-back";

    private readonly byte[] _number = new byte[sizeof(long)];
    private readonly ShmByteChannel _out;
    private readonly ShmByteChannel _in;
    private readonly ByteConsumer _consumer;
    private readonly ByteProducer _producer;

    public Turns(PartSettings settings, bool isPublisher)
    {
        ShmChannelOptions options = new() { Root = settings.Directory, WaitStrategy = WaitStrategy.BusySpin };
        _out = ShmByteChannel.CreateOrOpen(isPublisher ? ThereName : BackName, options);
        _in = ShmByteChannel.CreateOrOpen(isPublisher ? BackName : ThereName, options);
        _consumer = _in.CreateConsumer();
        Meeting.AwaitConsumers(_out, 1);
        _producer = _out.CreateProducer();
    }

    /// <summary>Hands the turn over, with a number.</summary>
    public void Give(long number)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_number, number);
        _producer.Write(_number);
    }

    /// <summary>Waits for the turn, and returns the number that came with it.</summary>
    public long Take() => BinaryPrimitives.ReadInt64LittleEndian(_consumer.Read().Payload);

    public void Dispose()
    {
        _producer.Dispose();
        _consumer.Dispose();
        _in.Dispose();
        _out.Dispose();
    }
}
