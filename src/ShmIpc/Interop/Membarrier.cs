// A memory barrier on every processor that runs a registered process, so that one side of an ordering edge can do without a fence.
// Both calls may be refused (an old kernel, a sandbox): callers keep a way that needs neither.

using Tmds.Linux;
using static ShmIpc.Interop.LibCExtras;
using static Tmds.Linux.LibC;

namespace ShmIpc.Interop;

internal static class Membarrier
{
    private static readonly bool _isRegistered = TryCommand(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED);

    /// <summary>False where the kernel, or a sandbox, refuses.</summary>
    public static bool IsAvailable => _isRegistered;

    /// <summary>Makes this process one that global expedited barriers reach. Done once a process; later calls return the same.</summary>
    public static bool TryRegisterGlobalExpedited() => _isRegistered;

    /// <summary>A full barrier on all running threads of all registered processes; false when the kernel refused.</summary>
    public static bool TryGlobalExpedited() => TryCommand(MEMBARRIER_CMD_GLOBAL_EXPEDITED);

    private static bool TryCommand(int command) => (long)(ssize_t)syscall(SYS_membarrier, command, 0, 0) == 0;
}
