// The totals of this process. Other tests map and unmap meanwhile, hundreds of MiB some of them, so nothing else may run beside it.

using ShmIpc.Memory;
using Xunit;

namespace ShmIpc.Tests.Memory;

[Collection(nameof(MemoryMappingLeakTests))]
public sealed class ProcessTotalsTests
{
    [Fact]
    public void The_totals_of_a_process_grow_with_it()
    {
        const int Bytes = 16 << 20;
        GC.Collect(); // what the tests before have forgotten goes now, and not in between
        GC.WaitForPendingFinalizers();
        var before = ProcessMemory.Read(withTotals: true);
        using var mapping = MemoryMapping.MapAnonymous(Bytes);
        mapping.GetSpan(0, Bytes).Fill(1);
        var after = ProcessMemory.Read(withTotals: true);
        Assert.True(after.AddressSpaceBytes > 0 && after.PeakAddressSpaceBytes >= after.AddressSpaceBytes);
        Assert.InRange(after.ResidentSharedMemoryBytes!.Value - before.ResidentSharedMemoryBytes!.Value, Bytes * 3 / 4, Bytes * 8); // counted roughly
        Assert.InRange(after.Totals!.ResidentBytes!.Value - before.Totals!.ResidentBytes!.Value, Bytes / 4, long.MaxValue);
        Assert.NotNull(after.Totals.ProportionalBytes);
        Assert.Null(after.Totals.KernelPageSizeBytes);
        Assert.Null(ProcessMemory.Read().Totals);
        Assert.True(after.ResidentBytes > 0 && after.PeakResidentBytes > 0 && after.DataBytes > 0);
        Assert.NotNull(after.LockedBytes);
    }
}
