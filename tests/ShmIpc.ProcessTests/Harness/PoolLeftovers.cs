// What is left of pools in this process, by the kernel's own word: descriptors and mappings of their memory, and children, dead ones too.

namespace ShmIpc.ProcessTests.Harness;

internal static class PoolLeftovers
{
    private const string Memory = "shmipc-pool";

    /// <summary>Descriptors and mappings.</summary>
    public static string[] Find() =>
    [
        .. Descriptors().Where(target => target.Contains(Memory, StringComparison.Ordinal)),
        .. File.ReadLines("/proc/self/maps").Where(line => line.Contains(Memory, StringComparison.Ordinal)),
    ];

    /// <summary>What the descriptors of this process are open on; not those of assemblies, which the runtime loads when it comes to them.</summary>
    public static string[] Descriptors() =>
        [.. Directory.GetFiles("/proc/self/fd").Select(TargetOf).Where(target => target.Length > 0 && !target.EndsWith(".dll", StringComparison.Ordinal))];

    /// <summary>Waits until there is nothing; the thread that waited for answers lets go of the channel a moment later.</summary>
    public static void ExpectNone() => Eventually.True(
        () => Linux.Children().Count == 0 && Find().Length == 0,
        () => $"nothing of the pool is left: {string.Join(", ", [.. Linux.Children().Select(child => $"process {child}"), .. Find()])}");

    private static string TargetOf(string descriptor)
    {
        try
        {
            return new FileInfo(descriptor).LinkTarget ?? "";
        }
        catch (IOException)
        {
            return ""; // closed meanwhile
        }
    }
}
