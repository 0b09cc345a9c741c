// What a file in memory refuses: the checks before the kernel is asked, and the sentences for what the kernel (a seal) forbids.

using System.Text;
using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using static Tmds.Linux.LibC;

namespace ShmIpc.Memory;

public sealed partial class MemoryFile
{
    private const string OnlyMemory = "only a file that memfd_create made can be opened as a MemoryFile.";

    private const MemorySeals AllSeals = MemorySeals.Seal | MemorySeals.Shrink | MemorySeals.Grow | MemorySeals.Write
        | MemorySeals.FutureWrite | MemorySeals.Exec;

    private bool IsSealedAgainstWriting => (Seals & (MemorySeals.Write | MemorySeals.FutureWrite)) != 0;

    private static void CheckName(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (name.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException("The name of a memory file has no character NUL: C would end it there.", nameof(name));
        }

        var bytes = Encoding.UTF8.GetByteCount(name);
        if (bytes > MostNameBytes)
        {
            throw new ArgumentException(
                $"The name of a memory file has at most {MostNameBytes} bytes as UTF-8, and this one {bytes}.", nameof(name));
        }
    }

    private static void CheckLength(long lengthBytes)
    {
        if (lengthBytes <= 0)
        {
            throw new ArgumentOutOfRangeException(nameof(lengthBytes), lengthBytes, "The length of a memory file is at least one byte.");
        }
    }

    private static void CheckSeals(MemorySeals seals, string parameter)
    {
        if ((seals & ~AllSeals) != 0)
        {
            throw new ArgumentException($"There are no MemorySeals 0x{(int)(seals & ~AllSeals):x}: use {AllSeals}.", parameter);
        }
    }

    /// <summary>Null when it is another kind of file, and which in <paramref name="target"/>.</summary>
    private static MemoryFile? TryTake(SafeFileHandle handle, out string target)
    {
        using var descriptor = new BorrowedDescriptor(handle);
        var name = LinuxFile.MemoryName($"/proc/self/fd/{descriptor.Number}", out target);
        if (name is null || LinuxFile.Seals(handle) is null) return null;
        return new MemoryFile(handle, name, canWrite: (LinuxFile.OpenFlags(handle) & O_ACCMODE) == O_RDWR);
    }

    private static SafeFileHandle OpenDescriptor(int processId, int descriptor, bool writable)
    {
        var path = DescriptorPath(processId, descriptor);
        try
        {
            // Looked at before it is opened: to open something else, a device or a pipe, may have effects of its own.
            if (LinuxFile.MemoryName(path, out var target) is null && target.Length > 0)
            {
                throw new ArgumentException(
                    $"Descriptor {descriptor} of process {processId} is one of {Described(target)}: {OnlyMemory}", nameof(descriptor));
            }
        }
        catch (UnauthorizedAccessException)
        {
            // opening it says why
        }

        if (LinuxFile.TryOpenDescriptor(path, writable, out var failure) is { } handle) return handle;
        string? cure = null;
        if (failure == ENOENT)
        {
            cure = Directory.Exists($"/proc/{processId}")
                ? $"Process {processId} has no descriptor {descriptor} (any more): it has to keep it open until this one has opened it."
                : $"There is no process {processId} (any more), or it is in another container.";
        }
        else if (failure == EACCES || failure == EPERM)
        {
            cure = $"Process {processId} belongs to another user or hides its descriptors, or the file is not this user's to write: " +
                "have it sent over a socket (DescriptorPassing), or open it with MemoryAccess.ReadOnly.";
        }

        throw LinuxError.ToException(failure, "open", $"\"{path}\", {(writable ? "O_RDWR" : "O_RDONLY")}", cure);
    }

    private static string DescriptorPath(int processId, int descriptor) => $"/proc/{processId}/fd/{descriptor}";

    private static string Described(string target) => target.Length == 0 ? "an unknown kind" : $"\"{target}\"";

    private static string Consequence(MemorySeals seal) => seal switch
    {
        MemorySeals.Shrink => "whoever has the file could truncate it, and the next access to what is mapped would end this process " +
            "(SIGBUS)",
        MemorySeals.Grow => "whoever has the file could make it longer, and take memory without end",
        MemorySeals.Write => "its bytes could change while they are read",
        MemorySeals.FutureWrite => "whoever has the file could map it for writing, or punch holes into it",
        MemorySeals.Seal => "whoever has the file could put on more seals, and forbid what is needed later",
        _ => "whoever has the file could make it executable",
    };

    private void RequireWritable(string operation)
    {
        if (!CanWrite)
        {
            throw new UnauthorizedAccessException(
                $"{operation} needs a descriptor that may write, and this one of \"{Name}\" is read-only: use the one that it was made " +
                "from.");
        }
    }

    private ShmException Unsealed(MemorySeals missing)
    {
        var reasons = Enum.GetValues<MemorySeals>().Where(seal => seal != MemorySeals.None && missing.HasFlag(seal))
            .Select(seal => $"without {seal} {Consequence(seal)}");
        return new ShmException(
            $"The memory file \"{Name}\" lacks the seals {missing}: {string.Join("; ", reasons)}. Have its creator put them on (Seal) " +
            "before it hands it out.");
    }

    private UnauthorizedAccessException Sealed(MemorySeals seal, string attempt, string cure, Exception? inner) =>
        new($"The memory file \"{Name}\" is sealed with {seal}, so nobody can {attempt}: {cure}", inner);

    private UnauthorizedAccessException? MapRefused(long offset, long lengthBytes, MemoryMappingOptions options, Exception error)
    {
        if (Handle.IsClosed || options.Access != MemoryAccess.ReadWrite || options.Sharing != MappingSharing.Shared) return null;
        var writing = Seals & (MemorySeals.Write | MemorySeals.FutureWrite);
        if (writing != 0) return Sealed(writing, "map it for writing any more", "map it with MemoryAccess.ReadOnly.", error);
        return Seals.HasFlag(MemorySeals.Grow) && LengthBytes is var length && length - offset < lengthBytes
            ? Sealed(MemorySeals.Grow, $"make it longer than its {length} bytes", "map no more than it has.", error)
            : null;
    }

    private Exception SealRefused(MemorySeals seals, int failure)
    {
        if (failure == EPERM && Seals.HasFlag(MemorySeals.Seal))
        {
            return Sealed(MemorySeals.Seal, $"put on {seals & ~Seals}", "put on all seals at once, Seal the last.", inner: null);
        }

        string? cure = null;
        if (failure == EBUSY)
        {
            cure = "Somebody, in this process or another one, has it mapped for writing, and Write promises that its bytes never " +
                "change: dispose of those mappings first, or use FutureWrite, which lets them go on and forbids new ones.";
        }
        else if (failure == EINVAL)
        {
            cure = "The kernel does not know one of them: FutureWrite came with Linux 5.1, Exec with 6.3.";
        }

        return LinuxError.ToException(failure, "fcntl", $"\"{Name}\", F_ADD_SEALS {seals}", cure);
    }
}
