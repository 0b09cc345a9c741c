// Which of the younger abilities of the kernel this process has: each is tried, because a sandbox may forbid what the version has.

using static ShmIpc.Interop.LibCExtras;
using static Tmds.Linux.LibC;

namespace ShmIpc.Interop;

/// <param name="WaitsForMany"><c>futex_waitv</c>.</param>
/// <param name="Barriers"><c>membarrier</c>.</param>
/// <param name="Seals">Memfds that can be sealed.</param>
/// <param name="Populates"><c>MADV_POPULATE_WRITE</c>.</param>
internal readonly record struct KernelFeatures(bool WaitsForMany, bool Barriers, bool Seals, bool Populates)
{
    public static KernelFeatures Probe() => new(Futex.IsWaitAnySupported, Membarrier.IsAvailable, CanSeal(), CanPopulate());

    private static unsafe bool CanSeal()
    {
        fixed (byte* name = "probe\0"u8)
        {
            var memfd = memfd_create(name, (uint)(MFD_CLOEXEC | MFD_ALLOW_SEALING));
            if (memfd < 0) return false;
            var isSealed = fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK) == 0;
            _ = close(memfd);
            return isSealed;
        }
    }

    // No bytes at all: the kernel says whether it knows the advice, and does nothing.
    private static unsafe bool CanPopulate() => madvise(null, 0, MADV_POPULATE_WRITE) == 0;
}
