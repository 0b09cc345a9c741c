// Sends messages one by one.

using System.Buffers.Binary;
using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Transports;

namespace ShmIpc.Benchmarks.Pairs;

internal sealed class Sender<TSender>(TSender sender, Lifeline lifeline, ChildSettings settings) : Sending(lifeline, settings)
    where TSender : struct, ISender
{
    private readonly byte[] _payload = new byte[settings.PayloadBytes];
    private readonly TSender _sender = sender;
    private ulong _number;

    protected override ulong Number => _number;

    protected override bool RunBatch()
    {
        for (int i = 0; i < Measurement.Batch; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(_payload, _number);
            if (!_sender.Send(_payload))
            {
                return false;
            }

            _number++;
        }

        return true;
    }
}
