// Takes messages as fast as they come, checks their numbers, and measures from the end of its warm-up on.

using System.Buffers.Binary;
using System.Diagnostics;

namespace ShmIpc.Benchmarks.Children;

internal sealed class Receiver<TReceiver>(TReceiver receiver, ChildSettings settings) : IRole
    where TReceiver : struct, IReceiver
{
    private readonly byte[] _payload = new byte[settings.PayloadBytes];
    private readonly TReceiver _receiver = receiver;
    private ulong _number;

    public Sample Run()
    {
        RunBatch(); // the sender may still be starting
        long warmedUp = Stopwatch.GetTimestamp() + Measurement.ToTicks(settings.WarmUp);
        while (Stopwatch.GetTimestamp() < warmedUp)
        {
            RunBatch();
        }

        long measure = Measurement.ToTicks(settings.Measure);
        long slice = Measurement.ToTicks(Measurement.Slice);
        double[] rates = new double[(measure / slice) + 1];
        int slices = 0;
        long allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
        ulong firstNumber = _number;
        long start = Stopwatch.GetTimestamp();
        long now = start;
        long sliceStart = start;
        ulong sliceNumber = _number;
        while (now - start < measure)
        {
            RunBatch();
            now = Stopwatch.GetTimestamp();
            if (now - sliceStart >= slice)
            {
                rates[slices++] = (_number - sliceNumber) / Measurement.Seconds(now - sliceStart);
                (sliceStart, sliceNumber) = (now, _number);
            }
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - allocatedBefore;
        long operations = (long)(_number - firstNumber);
        Array.Sort(rates, 0, slices);
        return new Sample
        {
            Operations = operations,
            Seconds = Measurement.Seconds(now - start),
            UndisturbedPerSecond = slices == 0 ? 0 : rates[(int)(0.9 * (slices - 1))],
            AllocatedBytes = allocated,
            AllocationOperations = operations,
            Preemptions = Measurement.Preemptions(),
        };
    }

    private void RunBatch()
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
