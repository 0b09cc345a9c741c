// The kernel's settings for transparent huge pages: how large they are, and why there may be none.

using ShmIpc.Interop;

namespace ShmIpc.Memory;

internal static class TransparentHugePages
{
    private const string Settings = "/sys/kernel/mm/transparent_hugepage/";

    /// <summary>Their size; zero where the kernel has none.</summary>
    public static long PageBytes { get; } = KernelFile.Number(Settings + "hpage_pmd_size") ?? 0;

    /// <summary>How much of a range may lie in huge pages: they begin at multiples of their size.</summary>
    public static long WholeBytes(nint start, long lengthBytes)
    {
        if (PageBytes == 0) return 0;
        var first = (start + PageBytes - 1) & -PageBytes;
        return Math.Max(0, ((start + lengthBytes) & -PageBytes) - first);
    }

    /// <summary>Why memory does not lie in huge pages, or not all that could; the second is the cure.</summary>
    public static (string Reason, string? Cure) WhyNot(TransparentKind kind, long wholeBytes, long lengthBytes, HugePageReading pages)
    {
        if (PageBytes == 0)
        {
            return ("This kernel has no transparent huge pages.", "Use pages of a pool, such as HugePageSize.TwoMebibytes.");
        }

        if (wholeBytes == 0)
        {
            return ($"No part of the {lengthBytes} bytes is a whole huge page of {PageBytes} bytes that begins at a multiple of its size.",
                $"Map at least {PageBytes} bytes, and leave the Address to the library.");
        }

        if (KernelFile.Field(KernelFile.Text("/proc/self/status"), "THP_enabled") == "0")
        {
            return ("Transparent huge pages are switched off for this process (PR_SET_THP_DISABLE).", "Start it without that.");
        }

        var setting = kind == TransparentKind.Shared ? "shmem_enabled" : "enabled";
        var limits = MemoryLimits.Read("/");
        var choice = kind == TransparentKind.Shared ? limits.SharedTransparentHugePages : limits.TransparentHugePages;
        if (kind != TransparentKind.File && choice is "never" or "deny")
        {
            var better = kind == TransparentKind.Shared ? "advise" : "madvise";
            return ($"The kernel is told to give {(kind == TransparentKind.Shared ? "shared" : "anonymous")} memory no transparent huge " +
                $"pages at its first touch ({setting} is {choice}), and {pages.HugeBytes} of {wholeBytes} bytes are in some.",
                $"As root: `echo {better} > {Settings}{setting}`; for a file of a tmpfs `mount -o remount,huge=advise` of that.");
        }

        if (pages.PresentBytes < wholeBytes)
        {
            return ($"{pages.PresentBytes} of {lengthBytes} bytes have been touched, and huge pages come at the first touch.",
                "Map with Populate, or read again (ReadHugePages) once the memory is in use.");
        }

        return kind == TransparentKind.File
            ? ($"The file system has {pages.HugeBytes} of {wholeBytes} bytes of the file in huge pages.",
                "Use anonymous memory, a memfd, or a file of a hugetlbfs; many disk file systems have no huge pages.")
            : ($"The kernel found {pages.HugeBytes} of {wholeBytes} bytes of memory in pieces of {PageBytes} bytes.",
                "Free memory, or as root `sysctl vm.compact_memory=1`, and map again; or set pages aside (`sysctl vm.nr_hugepages`).");
    }
}
