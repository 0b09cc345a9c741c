// The resource limits of this process (`ulimit`), read without a descriptor.

using System.Globalization;
using Tmds.Linux;
using static ShmIpc.Interop.LibCExtras;

namespace ShmIpc.Interop;

internal static unsafe class LinuxLimits
{
    /// <summary>The soft and the hard limit, each null for unlimited; null where the kernel does not say.</summary>
    public static (long? Soft, long? Hard)? Of(int resource)
    {
        rlimit limit;
        return getrlimit(resource, &limit) == 0 ? (Bounded(limit.rlim_cur), Bounded(limit.rlim_max)) : null;
    }

    /// <summary>The soft limit; null for unlimited, and where the kernel does not say.</summary>
    public static long? Soft(int resource) => Of(resource)?.Soft;

    /// <summary>The soft limit as a reader wants it; <c>unknown</c> where it cannot be read.</summary>
    public static string Text(int resource, string unit) =>
        Of(resource) is not { } limit ? "unknown"
        : limit.Soft is { } soft ? soft.ToString(CultureInfo.InvariantCulture) + unit : "unlimited";

    private static long? Bounded(ulong value) => value > long.MaxValue ? null : (long)value;
}
