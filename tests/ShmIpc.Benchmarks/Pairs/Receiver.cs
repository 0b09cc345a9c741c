// Takes messages one by one.

using System.Buffers.Binary;
using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Transports;

namespace ShmIpc.Benchmarks.Pairs;

internal sealed class Receiver<TReceiver>(TReceiver receiver, ChildSettings settings) : Receiving(settings)
    where TReceiver : struct, IReceiver
{
    private readonly byte[] _payload = new byte[settings.PayloadBytes];
    private readonly TReceiver _receiver = receiver;
    private ulong _number;

    protected override ulong Number => _number;

    protected override void RunBatch()
    {
        for (int i = 0; i < Measurement.Batch; i++)
        {
            _receiver.Receive(_payload);
            ulong received = BinaryPrimitives.ReadUInt64LittleEndian(_payload);
            if (received != _number)
            {
                Measurement.ThrowWrongMessage(_number, received);
            }

            _number++;
        }
    }
}
