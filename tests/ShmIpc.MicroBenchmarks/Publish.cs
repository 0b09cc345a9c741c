using BenchmarkDotNet.Attributes;
using ShmIpc.Channels;

namespace ShmIpc.MicroBenchmarks;

/// <summary>Publishing, without the reading that makes room for it: that happens between the iterations.</summary>
public class Publish
{
    private const int Messages = 2048;
    private const int BatchMessages = 64;
    private byte[] _payload = [];
    private PrivateChannel? _channel;
    private ByteProducer? _producer;

    [Params(8, 64, 1016)]
    public int PayloadBytes { get; set; }

    [Params(false, true)]
    public bool IsSingle { get; set; }

    [GlobalSetup]
    public void Open()
    {
        _payload = new byte[PayloadBytes];
        _channel = new PrivateChannel(Messages, PayloadBytes, IsSingle);
        _producer = _channel.Producer;
        WarmUp.Run(() =>
        {
            TryWrite();
            Drain();
            ClaimAndCommit();
            Drain();
            Batch();
            Drain();
        });
    }

    [IterationSetup]
    public void Drain()
    {
        while (_channel!.Consumer.TryRead(out _))
        {
        }

        _channel.Consumer.Release();
    }

    [GlobalCleanup]
    public void Close() => _channel!.Dispose();

    [Benchmark(OperationsPerInvoke = Messages)]
    public bool TryWrite()
    {
        ByteProducer producer = _producer!;
        byte[] payload = _payload;
        bool isWritten = true;
        for (int i = 0; i < Messages; i++)
        {
            isWritten &= producer.TryWrite(payload);
        }

        return isWritten;
    }

    [Benchmark(OperationsPerInvoke = Messages)]
    public bool ClaimAndCommit()
    {
        ByteProducer producer = _producer!;
        int payloadBytes = _payload.Length;
        bool isClaimed = true;
        for (int i = 0; i < Messages; i++)
        {
            isClaimed &= producer.TryClaim(payloadBytes, out Claim claim);
            claim.Commit(payloadBytes);
        }

        return isClaimed;
    }

    [Benchmark(OperationsPerInvoke = Messages)]
    public bool Batch()
    {
        bool isWritten = true;
        for (int i = 0; i < Messages; i += BatchMessages)
        {
            using Batch batch = _producer!.BeginBatch();
            for (int j = 0; j < BatchMessages; j++)
            {
                isWritten &= batch.TryWrite(_payload);
            }

            batch.Publish();
        }

        return isWritten;
    }
}
