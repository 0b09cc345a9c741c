// Adds messages to a batch one by one and publishes them all at once.

using System.Buffers.Binary;
using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Channels;

namespace ShmIpc.Benchmarks.Pairs;

internal sealed class BatchSender(ByteProducer producer, Lifeline lifeline, ChildSettings settings) : Sending(lifeline, settings)
{
    private readonly byte[] _payload = new byte[settings.PayloadBytes];
    private readonly int _batch = BatchLength.Of(settings);
    private ulong _number;

    protected override ulong Number => _number;

    protected override bool RunBatch()
    {
        using Batch batch = producer.BeginBatch();
        for (int i = 0; i < _batch; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(_payload, _number);
            if (!batch.TryWrite(_payload))
            {
                batch.Write(_payload);
            }

            _number++;
        }

        batch.Publish();
        return true;
    }
}
