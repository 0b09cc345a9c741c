// One thread writes each message and reads it back: what the calls cost when nobody is waited for, in processor time.

using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime;
using HdrHistogram;
using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Transports;

namespace ShmIpc.Benchmarks.Pairs;

internal sealed class Alone<TSender, TReceiver>(TSender sender, TReceiver receiver, ChildSettings settings) : IRole
    where TSender : struct, ISender
    where TReceiver : struct, IReceiver
{
    // Processor time counts what the runtime does, so nothing may be compiled any more: it compiles hot methods up to three times, in the
    // background, on this same processor, 100 ms after it last found new ones.
    private static readonly TimeSpan _quietTime = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan _longestWarmUp = TimeSpan.FromSeconds(6);

    private readonly byte[] _outgoing = new byte[settings.PayloadBytes];
    private readonly byte[] _incoming = new byte[settings.PayloadBytes];
    private readonly TSender _sender = sender;
    private readonly TReceiver _receiver = receiver;
    private ulong _number;

    public Sample Run()
    {
        LongHistogram batches = Measurement.NewHistogram();
        WarmUp(batches);
        batches.Reset();
        long allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
        ulong firstNumber = _number;
        TimeSpan cpuBefore = Environment.CpuUsage.TotalTime;
        long elapsed = RunFor(settings.Measure, batches);
        TimeSpan cpu = Environment.CpuUsage.TotalTime - cpuBefore;
        long allocated = GC.GetAllocatedBytesForCurrentThread() - allocatedBefore;
        long operations = (long)(_number - firstNumber);
        return new Sample
        {
            Operations = operations,
            Seconds = Measurement.Seconds(elapsed),
            TypicalNs = batches.GetValueAtPercentile(50) / (double)Measurement.Batch,
            CpuNs = cpu.TotalNanoseconds / operations,
            AllocatedBytes = allocated,
            AllocationOperations = operations,
            Preemptions = Measurement.Preemptions(),
        };
    }

    private void WarmUp(LongHistogram batches)
    {
        RunFor(settings.WarmUp, batches);
        long deadline = Stopwatch.GetTimestamp() + Measurement.ToTicks(_longestWarmUp);
        long compiled;
        do
        {
            compiled = JitInfo.GetCompiledMethodCount();
            RunFor(_quietTime, batches);
        }
        while (JitInfo.GetCompiledMethodCount() != compiled && Stopwatch.GetTimestamp() < deadline);
    }

    private long RunFor(TimeSpan time, LongHistogram batches)
    {
        long start = Stopwatch.GetTimestamp();
        long end = start + Measurement.ToTicks(time);
        long now = start;
        while (now < end)
        {
            RunBatch();
            long before = now;
            now = Stopwatch.GetTimestamp();
            Measurement.Record(batches, now - before);
        }

        return now - start;
    }

    private void RunBatch()
    {
        for (int i = 0; i < Measurement.Batch; i++)
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
}
