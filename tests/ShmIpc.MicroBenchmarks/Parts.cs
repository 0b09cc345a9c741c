using BenchmarkDotNet.Attributes;
using ShmIpc.Channels;
using ShmIpc.Memory;
using ShmIpc.Waiting;

namespace ShmIpc.MicroBenchmarks;

/// <summary>The parts that every publish and read has: in and out of the gate, and the look whether somebody sleeps.</summary>
public class Parts
{
    private const int Calls = 16_384;
    private readonly MemoryMapping _memory = MemoryMapping.MapAnonymous(DoorbellLayout.SectionBytes);
    private readonly OperationGate _shared = new(isSingle: false, "benchmark");
    private readonly OperationGate _single = new(isSingle: true, "benchmark");
    private WaitingRoom? _room;

    [GlobalSetup]
    public void Open()
    {
        _room = WaitingRoom.ForReaders(_memory.Whole);
        WarmUp.Run(() =>
        {
            GateShared();
            GateSingle();
            AnyParked();
        });
    }

    [GlobalCleanup]
    public void Close() => _memory.Dispose();

    [Benchmark(OperationsPerInvoke = Calls)]
    public void GateShared() => Pass(_shared);

    [Benchmark(OperationsPerInvoke = Calls)]
    public void GateSingle() => Pass(_single);

    [Benchmark(OperationsPerInvoke = Calls)]
    public int AnyParked()
    {
        WaitingRoom room = _room!;
        int parked = 0;
        for (int i = 0; i < Calls; i++)
        {
            parked += room.AnyParked ? 1 : 0;
        }

        return parked;
    }

    private static void Pass(OperationGate gate)
    {
        for (int i = 0; i < Calls; i++)
        {
            gate.Enter();
            gate.Exit();
        }
    }
}
