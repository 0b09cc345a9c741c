// Sends a numbered message and waits until it comes back: warm-up, then round trips with the clock read once
// a batch, then round trips timed one by one (the percentiles).

using System.Buffers.Binary;
using System.Diagnostics;
using HdrHistogram;
using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Transports;

namespace ShmIpc.Benchmarks.Pairs;

internal sealed class Ping<TSender, TReceiver>(TSender sender, TReceiver receiver, ChildSettings settings) : IRole
    where TSender : struct, ISender
    where TReceiver : struct, IReceiver
{
    private readonly byte[] _outgoing = new byte[settings.PayloadBytes];
    private readonly byte[] _incoming = new byte[settings.PayloadBytes];
    private readonly TSender _sender = sender;
    private readonly TReceiver _receiver = receiver;
    private ulong _number;

    public Sample Run()
    {
        LongHistogram batches = Measurement.NewHistogram();
        LongHistogram singles = Measurement.NewHistogram();
        long measure = Measurement.ToTicks(settings.Measure);
        long end = Stopwatch.GetTimestamp() + Measurement.ToTicks(settings.WarmUp);
        while (Stopwatch.GetTimestamp() < end)
        {
            RunBatch(batches);
            RunTimedBatch(singles);
        }

        batches.Reset();
        singles.Reset();
        long allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
        ulong firstNumber = _number;
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetTimestamp() - start < measure)
        {
            RunBatch(batches);
        }

        long elapsed = Stopwatch.GetTimestamp() - start;
        long operations = (long)(_number - firstNumber);
        end = start + elapsed + measure;
        while (Stopwatch.GetTimestamp() < end)
        {
            RunTimedBatch(singles);
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - allocatedBefore;
        long allocationOperations = (long)(_number - firstNumber);
        _number = Measurement.LastNumber;
        BinaryPrimitives.WriteUInt64LittleEndian(_outgoing, _number);
        _sender.Send(_outgoing);
        return new Sample
        {
            Operations = operations,
            Seconds = Measurement.Seconds(elapsed),
            TypicalNs = batches.GetValueAtPercentile(50) / (double)Measurement.Batch,
            P50Ns = singles.GetValueAtPercentile(50),
            P90Ns = singles.GetValueAtPercentile(90),
            P99Ns = singles.GetValueAtPercentile(99),
            P999Ns = singles.GetValueAtPercentile(99.9),
            MaxNs = singles.GetMaxValue(),
            Samples = singles.TotalCount,
            Latencies = LatencyCurve.Of(singles),
            AllocatedBytes = allocated,
            AllocationOperations = allocationOperations,
            Preemptions = Measurement.Preemptions(),
        };
    }

    private void RunBatch(LongHistogram batches)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < Measurement.Batch; i++)
        {
            RoundTrip();
        }

        Record(batches, start);
    }

    private void RunTimedBatch(LongHistogram singles)
    {
        for (int i = 0; i < Measurement.Batch; i++)
        {
            long start = Stopwatch.GetTimestamp();
            RoundTrip();
            Record(singles, start);
        }
    }

    private static void Record(LongHistogram histogram, long start) =>
        Measurement.Record(histogram, Stopwatch.GetTimestamp() - start);

    private void RoundTrip()
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_outgoing, _number);
        _sender.Send(_outgoing);
        _receiver.Receive(_incoming);
        ulong received = BinaryPrimitives.ReadUInt64LittleEndian(_incoming);
        if (received != _number)
        {
            Measurement.ThrowWrongMessage(_number, received);
        }

        _number++;
    }
}
