// The one place that says where this library runs. Every public entry point that reaches the kernel calls Require() first, so that
// elsewhere the caller gets a sentence and not a DllNotFoundException. It may not touch Tmds.LibC, whose assets exist for Linux only.

using System.Runtime.InteropServices;

namespace ShmIpc.Interop;

internal static class LinuxPlatform
{
    public static bool IsSupported { get; } =
        OperatingSystem.IsLinux()
        && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64
        && !RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal);

    /// <summary>This platform, such as <c>Debian GNU/Linux 12 (linux-x64, X64)</c>.</summary>
    public static string Description =>
        $"{RuntimeInformation.OSDescription} ({RuntimeInformation.RuntimeIdentifier}, {RuntimeInformation.ProcessArchitecture})";

    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64 with glibc.</exception>
    public static void Require()
    {
        if (!IsSupported)
        {
            throw new PlatformNotSupportedException($"ShmIpc runs on Linux x64 and arm64 with glibc; this is {Description}.");
        }
    }
}
