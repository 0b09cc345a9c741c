// Copies each message out and sends it back, until the last one of a ping.

using System.Buffers.Binary;
using System.Diagnostics;
using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Transports;

namespace ShmIpc.Benchmarks.Pairs;

internal sealed class Echo<TSender, TReceiver>(TSender sender, TReceiver receiver, ChildSettings settings) : IRole
    where TSender : struct, ISender
    where TReceiver : struct, IReceiver
{
    private readonly byte[] _buffer = new byte[settings.PayloadBytes];
    private readonly TSender _sender = sender;
    private readonly TReceiver _receiver = receiver;
    private long _operations;

    public Sample Run()
    {
        long end = Stopwatch.GetTimestamp() + Measurement.ToTicks(settings.WarmUp);
        bool running = true;
        while (running && Stopwatch.GetTimestamp() < end)
        {
            running = RunBatch();
        }

        long allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
        long operationsBefore = _operations;
        while (running)
        {
            running = RunBatch();
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - allocatedBefore;
        return new Sample
        {
            Operations = _operations,
            AllocatedBytes = allocated,
            AllocationOperations = _operations - operationsBefore,
            Preemptions = Measurement.Preemptions(),
        };
    }

    private bool RunBatch()
    {
        for (int i = 0; i < Measurement.Batch; i++)
        {
            int length = _receiver.Receive(_buffer);
            if (BinaryPrimitives.ReadUInt64LittleEndian(_buffer) == Measurement.LastNumber)
            {
                return false;
            }

            _sender.Send(_buffer.AsSpan(0, length));
            _operations++;
        }

        return true;
    }
}
