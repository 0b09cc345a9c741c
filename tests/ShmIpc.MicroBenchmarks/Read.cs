using BenchmarkDotNet.Attributes;
using ShmIpc.Channels;

namespace ShmIpc.MicroBenchmarks;

/// <summary>Reading what was published between the iterations. Each message's length is looked at, its bytes are not.</summary>
public class Read
{
    private const int Messages = 2048;
    private const int BatchMessages = 64;
    private byte[] _payload = [];
    private PrivateChannel? _channel;
    private ByteConsumer? _consumer;

    [Params(64)]
    public int PayloadBytes { get; set; }

    [Params(false, true)]
    public bool IsSingle { get; set; }

    [GlobalSetup]
    public void Open()
    {
        _payload = new byte[PayloadBytes];
        _channel = new PrivateChannel(Messages, PayloadBytes, IsSingle);
        _consumer = _channel.Consumer;
        WarmUp.Run(() =>
        {
            Fill();
            TryRead();
            Fill();
            Batch();
        });
    }

    [IterationSetup]
    public void Fill()
    {
        _consumer!.Release();
        for (int i = 0; i < Messages; i++)
        {
            _channel!.Producer.Write(_payload);
        }
    }

    [GlobalCleanup]
    public void Close() => _channel!.Dispose();

    [Benchmark(OperationsPerInvoke = Messages)]
    public int TryRead()
    {
        ByteConsumer consumer = _consumer!;
        int bytes = 0;
        for (int i = 0; i < Messages; i++)
        {
            if (consumer.TryRead(out ShmRecord record))
            {
                bytes += record.Payload.Length;
            }
        }

        return bytes;
    }

    [Benchmark(OperationsPerInvoke = Messages)]
    public int Batch()
    {
        int bytes = 0;
        for (int i = 0; i < Messages; i += BatchMessages)
        {
            if (_consumer!.TryReadBatch(BatchMessages, out RecordBatch batch))
            {
                foreach (ShmRecord record in batch)
                {
                    bytes += record.Payload.Length;
                }
            }

            batch.Release();
        }

        return bytes;
    }
}
