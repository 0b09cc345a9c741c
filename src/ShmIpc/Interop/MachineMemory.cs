// What /proc/meminfo says of the machine's memory; null what it does not say.

namespace ShmIpc.Interop;

internal readonly record struct MachineMemory(
    long? TotalBytes, long? AvailableBytes, long? TotalSwapBytes, long? FreeSwapBytes, long? CommitLimitBytes, long? CommittedBytes)
{
    /// <param name="root">The root of the file system; another one for tests.</param>
    public static MachineMemory Read(string root = "/")
    {
        var text = KernelFile.Text(Path.Combine(root, "proc/meminfo"));
        return new MachineMemory(
            Field("MemTotal"), Field("MemAvailable"), Field("SwapTotal"), Field("SwapFree"), Field("CommitLimit"), Field("Committed_AS"));

        long? Field(string name) => KernelFile.KibibyteField(text, name);
    }
}
