// Facts about this process and this boot of the machine.

using System.Text;
using Tmds.Linux;
using static ShmIpc.Interop.LibCExtras;
using static Tmds.Linux.LibC;

namespace ShmIpc.Interop;

internal static class LinuxProcess
{
    private const string BootIdPath = "/proc/sys/kernel/random/boot_id";

    private static string? _bootId;

    public static uint EffectiveUserId => geteuid();

    public static uint EffectiveGroupId => getegid();

    public static long PageSizeBytes { get; } = Environment.SystemPageSize;

    /// <summary>The kernel's random name of this boot, such as <c>5f2a6c1e-...</c>: what it names did not survive a restart.</summary>
    /// <exception cref="ShmException">It cannot be read, which may be another time: nothing of a failure is remembered.</exception>
    public static string BootId => _bootId ??= ReadBootId();

    /// <summary>The kernel's id of the calling thread.</summary>
    public static int ThreadId() => (int)(ssize_t)syscall(SYS_gettid);

    /// <summary>The id of this process, asked anew each time: a forked child has another one.</summary>
    public static int ProcessId() => getpid();

    private static string ReadBootId()
    {
        using var file = LinuxFile.OpenForReading(BootIdPath);
        Span<byte> bytes = stackalloc byte[64];
        return Encoding.ASCII.GetString(bytes[..LinuxFile.ReadAt(file, bytes, 0)]).Trim();
    }
}
