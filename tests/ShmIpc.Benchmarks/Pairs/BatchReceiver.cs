// Takes messages in runs, copies each out, and gives their room back all at once.

using System.Buffers.Binary;
using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Channels;

namespace ShmIpc.Benchmarks.Pairs;

internal sealed class BatchReceiver(ByteConsumer consumer, ChildSettings settings) : Receiving(settings)
{
    private readonly byte[] _payload = new byte[settings.PayloadBytes];
    private readonly int _batch = BatchLength.Of(settings);
    private ulong _number;

    protected override ulong Number => _number;

    protected override void RunBatch()
    {
        if (!consumer.TryReadBatch(_batch, out RecordBatch batch))
        {
            batch = consumer.ReadBatch(_batch);
        }

        foreach (ShmRecord record in batch)
        {
            record.CopyTo(_payload);
            ulong received = BinaryPrimitives.ReadUInt64LittleEndian(_payload);
            if (received != _number)
            {
                Measurement.ThrowWrongMessage(_number, received);
            }

            _number++;
        }

        batch.Release();
    }
}
