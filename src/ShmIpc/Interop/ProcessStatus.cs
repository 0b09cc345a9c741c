// What /proc/PID/status says of a process's memory and rights; null what it does not say.

using System.Globalization;

namespace ShmIpc.Interop;

internal readonly struct ProcessStatus(string? text)
{
    private const int CAP_IPC_LOCK = 14;

    private readonly string? _text = text;

    /// <summary>The status of this process.</summary>
    /// <param name="root">The root of the file system; another one for tests.</param>
    public static ProcessStatus ReadOwn(string root = "/") => new(KernelFile.Text(Path.Combine(root, "proc/self/status")));

    public long? AddressSpaceBytes => Bytes("VmSize");

    public long? DataBytes => Bytes("VmData");

    public long? LockedBytes => Bytes("VmLck");

    /// <summary>Whether the process may lock memory beyond RLIMIT_MEMLOCK: it has CAP_IPC_LOCK in force.</summary>
    public bool? MayLockBeyondLimit
    {
        get
        {
            var text = KernelFile.Field(_text, "CapEff");
            return ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var capabilities)
                ? (capabilities >> CAP_IPC_LOCK & 1) != 0
                : null;
        }
    }

    public long? Bytes(string name) => KernelFile.KibibyteField(_text, name);
}
