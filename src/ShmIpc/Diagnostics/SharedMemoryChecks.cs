// Where regions are kept: /dev/shm and the root directory.

using ShmIpc.Memory;
using Root = ShmIpc.Regions.RegionRoot;

namespace ShmIpc.Diagnostics;

internal static class SharedMemoryChecks
{
    private const long UsefulBytes = 256L << 20;
    private const long LeastBytes = 4L << 20;

    public static Finding SharedMemory(ExaminedMachine machine)
    {
        const string Subject = "/dev/shm";
        const string Enlarge = "Enlarge it: `mount -o remount,size=2G /dev/shm`, in a container `docker run --shm-size=2g`.";
        if (machine.Limits.SharedMemory is not { } room)
        {
            return new Finding(
                Severity.Problem, Subject, "There is no /dev/shm, or it may not be read.",
                $"Mount a tmpfs there, or set {Root.EnvironmentVariable} to a directory on one.");
        }

        if (room is not { TotalBytes: { } total, AvailableBytes: { } available })
        {
            return new Finding(
                Severity.Note, Subject, "/dev/shm has no size: what is put there takes memory until the kernel kills processes.",
                "Give it one: `mount -o remount,size=2G /dev/shm`.");
        }

        var what = $"/dev/shm has {available} bytes free of {total}";
        if (available < LeastBytes) return new Finding(Severity.Problem, Subject, what + ".", "Remove what is no longer used. " + Enlarge);
        if (total < UsefulBytes || available < UsefulBytes / 4) return new Finding(Severity.Warning, Subject, what + ".", Enlarge);
        return available > machine.Limits.AvailableBytes + machine.Limits.FreeSwapBytes
            ? new Finding(
                Severity.Note, Subject, $"{what}, more than the machine has memory left: filling it would have the kernel kill processes.",
                "ShmIpc asks before it takes memory; others who put files there do not. Make it smaller, or add memory or swap.")
            : new Finding(Severity.Ok, Subject, what + ".");
    }

    public static Finding RegionRoot(ExaminedMachine machine)
    {
        const string Subject = "region root";
        var path = machine.RegionRoot;
        var parent = Path.GetDirectoryName(path) ?? path;
        if (!Directory.Exists(path))
        {
            return Directory.Exists(parent)
                ? new Finding(Severity.Ok, Subject, $"The directory {path} is not there yet; the first region makes it.")
                : new Finding(
                    Severity.Problem, Subject, $"The directory {path} cannot be made: {parent} does not exist.",
                    $"Make it, or choose another root (option Root or {Root.EnvironmentVariable}).");
        }

        try
        {
            using var root = Root.Open(path);
            return Interop.LinuxFile.TryChange(root.Directory) == 0
                ? new Finding(Severity.Ok, Subject, $"Regions are kept in {path}{(root.IsShared ? ", shared with its group" : "")}.")
                : new Finding(
                    Severity.Warning, Subject, $"Regions in {path} can be opened, and none can be made: this user may not write there.",
                    $"Choose another root (option Root or {Root.EnvironmentVariable}), or give the directory to this user.");
        }
        catch (Exception error) when (error is UnauthorizedAccessException or ShmException)
        {
            return new Finding(
                Severity.Problem, Subject, error.Message,
                $"Mend the directory, or choose another root (option Root or {Root.EnvironmentVariable}).");
        }
    }
}
