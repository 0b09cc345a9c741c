// The one place that says where this library runs. Every public entry point that reaches the kernel calls Require() first, so that
// elsewhere the caller gets a sentence and not a DllNotFoundException. It may not touch Tmds.LibC, whose assets exist for Linux only.

using System.Runtime.InteropServices;

namespace ShmIpc.Interop;

internal static class LinuxPlatform
{
    private static readonly bool _isSupported =
        OperatingSystem.IsLinux()
        && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64
        && !RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal);

    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64 with glibc.</exception>
    public static void Require()
    {
        if (!_isSupported)
        {
            throw new PlatformNotSupportedException(
                $"ShmIpc runs on Linux x64 and arm64 with glibc; this is {RuntimeInformation.OSDescription} " +
                $"({RuntimeInformation.RuntimeIdentifier}, {RuntimeInformation.ProcessArchitecture}).");
        }
    }
}
