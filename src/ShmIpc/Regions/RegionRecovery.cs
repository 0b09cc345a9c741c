// Who brings a region in order after the machine was restarted: the first who attaches, and nobody beside it. What that means is the
// business of the region's kind; here are only the lock and the boot's id. Whoever sees this boot's id need not wait: the region is
// in order, because the id is stored last.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using ShmIpc.Memory;

namespace ShmIpc.Regions;

internal static class RegionRecovery
{
    private const int MaxAttempts = 12_000;
    private static readonly TimeSpan _busyPause = TimeSpan.FromMilliseconds(5);

    /// <summary>Recovers the region if it has not been in order in this boot.</summary>
    /// <param name="region">The region, not yet marked as attached by this process.</param>
    /// <param name="file">A description of its file that holds no lock.</param>
    /// <param name="recover">Brings it in order, durably; may be cut short and done again at any instant.</param>
    /// <exception cref="ShmException">Somebody else is at it, and does not get on.</exception>
    /// <exception cref="ShmRegionFormatException">Somebody of this boot uses it, and has damaged the boot's id.</exception>
    public static void Run(RegionFile region, SafeFileHandle file, Action<RegionFile> recover)
    {
        if (IsInOrder(region))
        {
            return;
        }

        using SafeFileHandle locking = LinuxFile.Reopen(file);
        for (int attempt = 0; !LinuxFile.TryLock(locking, RegionLocks.Recovery, 1, exclusive: true); attempt++)
        {
            if (attempt == MaxAttempts)
            {
                throw new ShmException(
                    $"Cannot attach to {region.Header.Path}: somebody has been recovering it for a minute. Is a process stopped there?");
            }

            Thread.Sleep(_busyPause);
        }

        if (IsInOrder(region))
        {
            return;
        }

        if (LinuxFile.IsLocked(file, RegionLocks.Attached, 1))
        {
            throw RegionHeader.Refuse(
                region.Header.Path, "it is in use, and says that it was not since the machine was started. A peer damaged it");
        }

        recover(region);
        Atomics.FullFence(); // everything is in order before the id says so
        CrashPoint.BeforeStore(region.OrderedInBoot);
        ThisBoot().TryWriteBytes(region.OrderedInBoot);
    }

    private static bool IsInOrder(RegionFile region) => new Guid(region.OrderedInBoot) == ThisBoot();

    private static Guid ThisBoot() => Guid.TryParse(LinuxProcess.BootId, out Guid boot) ? boot : Guid.Empty;
}
