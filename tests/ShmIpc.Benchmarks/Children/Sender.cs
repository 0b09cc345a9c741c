// Sends numbered messages as fast as they are taken, until it is told to stop or nobody is left to take them.

using System.Buffers.Binary;
using System.Diagnostics;

namespace ShmIpc.Benchmarks.Children;

internal sealed class Sender<TSender>(TSender sender, Lifeline lifeline, ChildSettings settings) : IRole
    where TSender : struct, ISender
{
    private readonly byte[] _payload = new byte[settings.PayloadBytes];
    private readonly TSender _sender = sender;
    private ulong _number;

    public Sample Run()
    {
        long end = Stopwatch.GetTimestamp() + Measurement.ToTicks(settings.WarmUp);
        bool running = true;
        while (running && Stopwatch.GetTimestamp() < end)
        {
            running = RunBatch();
        }

        long allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
        ulong firstNumber = _number;
        while (running && !lifeline.StopRequested)
        {
            running = RunBatch();
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - allocatedBefore;
        return new Sample
        {
            Operations = (long)_number,
            AllocatedBytes = allocated,
            AllocationOperations = (long)(_number - firstNumber),
            Preemptions = Measurement.Preemptions(),
        };
    }

    private bool RunBatch()
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
