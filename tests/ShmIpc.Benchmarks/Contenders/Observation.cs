// One run of one contender: what both of its processes measured.


using ShmIpc.Benchmarks.Measuring;

namespace ShmIpc.Benchmarks.Contenders;

internal sealed record Observation(Sample Measured, Sample? Served)
{
    /// <summary>0 where nothing was counted by the second.</summary>
    public double OperationsPerSecond => Measured.Seconds > 0 ? Measured.Operations / Measured.Seconds : 0;

    public double AllocatedBytesPerOperation => PerOperation(Measured) + PerOperation(Served);

    private static double PerOperation(Sample? sample) =>
        sample is null || sample.AllocationOperations == 0 ? 0 : sample.AllocatedBytes / (double)sample.AllocationOperations;
}
