using ShmIpc.Interop;
using Xunit;

namespace ShmIpc.Tests.Interop;

public sealed class MembarrierTests
{
    [Fact]
    public void A_registered_process_can_order_all_of_them()
    {
        var isRegistered = Membarrier.TryRegisterGlobalExpedited();
        Assert.Equal(isRegistered, Membarrier.TryRegisterGlobalExpedited());
        Assert.SkipUnless(isRegistered, "The kernel has no expedited global membarrier (Linux 4.16), or a sandbox forbids it.");
        for (var i = 0; i < 100; i++) Assert.True(Membarrier.TryGlobalExpedited());
    }
}
