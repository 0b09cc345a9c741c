using ShmIpc.Channels;

namespace ShmIpc.MicroBenchmarks;

/// <summary>A channel of raw bytes with one producer and one consumer, both here, and nobody else.</summary>
internal sealed class PrivateChannel : IDisposable
{
    /// <summary>The environment variable that holds the directory for channels.</summary>
    public const string RootVariable = "SHMIPC_MICRO_ROOT";

    private static int _count;
    private readonly ShmByteChannel _channel;

    public PrivateChannel(int messages, int payloadBytes, bool isSingle)
    {
        _channel = ShmByteChannel.Create(NewName(), Options(messages, payloadBytes, isSingle));
        Producer = _channel.CreateProducer();
        Consumer = _channel.CreateConsumer();
    }

    public ByteProducer Producer { get; }

    public ByteConsumer Consumer { get; }

    public static string NewName() => $"{Environment.ProcessId}-{++_count}";

    /// <summary>A lane that has room for twice so many messages.</summary>
    public static ShmChannelOptions Options(int messages, int payloadBytes, bool isSingle) => new()
    {
        Root = Environment.GetEnvironmentVariable(RootVariable)
            ?? throw new InvalidOperationException($"{RootVariable} is not set: the program that starts the benchmarks sets it."),
        LaneCapacityBytes = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(2 * messages * (payloadBytes + 16))),
        SingleWriter = isSingle,
        SingleReader = isSingle,
    };

    public void Dispose()
    {
        Consumer.Dispose();
        Producer.Dispose();
        _channel.Dispose();
    }
}
