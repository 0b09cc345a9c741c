// Huge pages: those of a pool, and those that the kernel makes by itself.

namespace ShmIpc.Diagnostics;

internal static class HugePageChecks
{
    private const string Directory = "/sys/kernel/mm/transparent_hugepage/";

    public static Finding Pools(ExaminedMachine machine)
    {
        const string Subject = "huge page pools";
        var filled = machine.Limits.HugePagePools.Where(pool => pool.Total + pool.MostSurplus > 0).ToArray();
        if (filled.Length == 0)
        {
            return new Finding(
                Severity.Note, Subject, "No huge pages are set aside: mappings that require them are refused.",
                "Set some aside while memory is still in one piece: `sysctl vm.nr_hugepages=512`.");
        }

        var what = string.Join(", ", filled.Select(pool => $"{pool.Available} of {pool.Total} pages of {pool.PageSizeBytes} bytes"));
        return filled.Any(pool => pool.Available > 0 || pool.MostSurplus > pool.Surplus)
            ? new Finding(Severity.Ok, Subject, $"Huge pages are free: {what}.")
            : new Finding(Severity.Warning, Subject, $"All huge pages are taken: {what} are free.",
                "Set more aside: `sysctl vm.nr_hugepages`.");
    }

    public static Finding Anonymous(ExaminedMachine machine) => Mode(
        "transparent huge pages", machine.Limits.TransparentHugePages, "anonymous memory", "enabled", "madvise", "never");

    public static Finding Shared(ExaminedMachine machine) => Mode(
        "transparent huge pages, shared", machine.Limits.SharedTransparentHugePages, "shared memory", "shmem_enabled", "advise",
        "never", "deny");

    private static Finding Mode(string subject, string? mode, string memory, string file, string better, params string[] bad) =>
        mode is null ? new Finding(Severity.Note, subject, "The kernel has none, or does not say.")
        : bad.Contains(mode) ? new Finding(
            Severity.Note, subject, $"The kernel gives {memory} no transparent huge pages ({mode}): advice to use them does nothing.",
            $"`echo {better} > {Directory}{file}`.")
        : new Finding(Severity.Ok, subject, $"The kernel gives {memory} transparent huge pages: {mode}.");
}
