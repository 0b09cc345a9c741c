using BenchmarkDotNet.Attributes;
using ShmIpc.Channels;
using ShmIpc.Serialization;

namespace ShmIpc.MicroBenchmarks;

/// <summary>A struct, serialized into the memory of the lane and committed, and read back out of it; and the same by MessagePack
/// alone, into an array.</summary>
public class Serialize
{
    private const int Messages = 2048;
    private const int MostMessageBytes = 32;
    private readonly Tick _tick = new() { Id = 1_000_000, Price = 101.25, Volume = 500 };
    private readonly System.Buffers.ArrayBufferWriter<byte> _array = new(Messages * MostMessageBytes);
    private readonly MessagePackPayload<Tick> _packing = new();
    private TypedChannel? _blittable;
    private TypedChannel? _packed;

    [GlobalSetup]
    public void Open()
    {
        ShmChannelOptions options = PrivateChannel.Options(Messages, MostMessageBytes, isSingle: false);
        _blittable = new TypedChannel(new BlittablePayload<Tick>(), options);
        _packed = new TypedChannel(_packing, options);
        WarmUp.Run(() =>
        {
            Empty();
            WriteBlittable();
            WriteMessagePack();
            MessagePackAlone();
            Refill();
            ReadBlittable();
            ReadMessagePack();
        });
    }

    [IterationSetup(Targets = [nameof(WriteBlittable), nameof(WriteMessagePack), nameof(MessagePackAlone)])]
    public void Empty()
    {
        _blittable!.Empty();
        _packed!.Empty();
        _array.ResetWrittenCount();
    }

    [IterationSetup(Targets = [nameof(ReadBlittable), nameof(ReadMessagePack)])]
    public void Refill()
    {
        Empty();
        Write(_blittable!.Producer);
        Write(_packed!.Producer);
    }

    [GlobalCleanup]
    public void Close()
    {
        _blittable!.Dispose();
        _packed!.Dispose();
    }

    [Benchmark(OperationsPerInvoke = Messages)]
    public bool WriteBlittable() => Write(_blittable!.Producer);

    [Benchmark(OperationsPerInvoke = Messages)]
    public bool WriteMessagePack() => Write(_packed!.Producer);

    [Benchmark(OperationsPerInvoke = Messages)]
    public long ReadBlittable() => Read(_blittable!.Consumer);

    [Benchmark(OperationsPerInvoke = Messages)]
    public long ReadMessagePack() => Read(_packed!.Consumer);

    [Benchmark(OperationsPerInvoke = Messages)]
    public int MessagePackAlone()
    {
        for (int i = 0; i < Messages; i++)
        {
            _packing.Serialize(_array, _tick);
        }

        return _array.WrittenCount;
    }

    private static long Read(Consumer<Tick> consumer)
    {
        long volume = 0;
        for (int i = 0; i < Messages; i++)
        {
            if (consumer.TryRead(out Tick tick))
            {
                volume += tick.Volume;
            }
        }

        return volume;
    }

    private bool Write(Producer<Tick> producer)
    {
        bool isWritten = true;
        for (int i = 0; i < Messages; i++)
        {
            isWritten &= producer.TryWrite(_tick);
        }

        return isWritten;
    }
}
