// A file in memory (memfd): memory that several processes share by handing a descriptor around, and that can be sealed. What it refuses,
// and why, is in MemoryFile.Refusals.cs.
//
// It never gets shorter through this class. Whoever truncates a file ends every process that has it mapped, this one included; so the seal
// against it is on by default, and there is no member that could do it.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;

namespace ShmIpc.Memory;

/// <summary>A file that exists in memory only (<c>memfd_create</c>), without a name in any file system. It lives as long as some process
/// has a descriptor or a mapping of it, can be sealed (<see cref="Seal"/>), and is handed to other processes by its descriptor.</summary>
/// <remarks>All members may be used by several threads at once.</remarks>
public sealed partial class MemoryFile : IDisposable
{
    private const int MostNameBytes = 249; // the kernel puts "memfd:" before it

    private MemoryFile(SafeFileHandle handle, string name, bool canWrite)
    {
        Handle = handle;
        Name = name;
        CanWrite = canWrite;
    }

    /// <summary>What it was called when it was made: for people who read <c>/proc/self/maps</c>, and nothing can be found by it.</summary>
    public string Name { get; }

    /// <summary>Whether the descriptor was opened for writing, too. Seals may forbid it all the same.</summary>
    public bool CanWrite { get; }

    /// <summary>The descriptor, closed by <see cref="Dispose"/>; <see cref="DescriptorPassing"/> sends it to another process.</summary>
    public SafeFileHandle Handle { get; }

    /// <summary>Its length in bytes.</summary>
    /// <exception cref="ObjectDisposedException">The file is disposed.</exception>
    public long LengthBytes => LinuxFile.Status(Handle).SizeBytes;

    /// <summary>The seals that it has.</summary>
    /// <exception cref="ObjectDisposedException">The file is disposed.</exception>
    public MemorySeals Seals => (MemorySeals)(LinuxFile.Seals(Handle) ?? 0);

    /// <summary>The number of the descriptor in this process, which <see cref="OpenFrom"/> takes in another one.</summary>
    /// <exception cref="ObjectDisposedException">The file is disposed.</exception>
    public int Descriptor
    {
        get
        {
            using var descriptor = new BorrowedDescriptor(Handle);
            return descriptor.Number;
        }
    }

    /// <summary>Where other processes of this user find it, any program that can open a file, for as long as this object is not disposed:
    /// <c>/proc/4711/fd/42</c>.</summary>
    /// <exception cref="ObjectDisposedException">The file is disposed.</exception>
    public string ProcessPath => DescriptorPath(LinuxProcess.ProcessId(), Descriptor);

    /// <summary>Makes a file in memory. All of its memory is taken now, all zero.</summary>
    /// <remarks>Its mode is 0644: whoever receives it may open it anew for reading, and only its owner or root for writing.</remarks>
    /// <param name="name">A name for people who look for it in <c>/proc/self/maps</c>: 1 to 249 bytes as UTF-8. Need not be unique.</param>
    /// <param name="lengthBytes">Its length in bytes: at least one.</param>
    /// <param name="options">How it is made; null for the defaults.</param>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64 with glibc.</exception>
    /// <exception cref="ArgumentException">An argument does not meet what is said above.</exception>
    /// <exception cref="ShmNoSpaceException">The machine, or the control group, has too little memory left.</exception>
    /// <exception cref="ShmException">The kernel refused, for example because too many files are open.</exception>
    public static MemoryFile Create(string name, long lengthBytes, MemoryFileOptions? options = null)
    {
        LinuxPlatform.Require();
        CheckName(name);
        CheckLength(lengthBytes);
        options ??= new MemoryFileOptions();
        CheckSeals(options.Seals, nameof(options));
        var file = Make(name, lengthBytes, options);
        try
        {
            if (options.Seals != MemorySeals.None) file.Seal(options.Seals);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Takes over the descriptor of a file in memory, such as <see cref="DescriptorPassing"/> receives. Ask then what its sender
    /// cannot do to it any more: <see cref="Require"/>.</summary>
    /// <param name="handle">The descriptor. From now on it belongs to the returned object; after an exception it is still the
    /// caller's.</param>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64 with glibc.</exception>
    /// <exception cref="ArgumentException">It is not the descriptor of a file in memory.</exception>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public static MemoryFile Open(SafeFileHandle handle)
    {
        LinuxPlatform.Require();
        ArgumentNullException.ThrowIfNull(handle);
        return TryTake(handle, out var target)
            ?? throw new ArgumentException($"The descriptor is one of {Described(target)}: {OnlyMemory}", nameof(handle));
    }

    /// <summary>Opens a file in memory of another process of this user, by way of <c>/proc</c>. The other process goes on having
    /// it.</summary>
    /// <param name="processId">The other process, as this one sees it: in a container its number is another one outside.</param>
    /// <param name="descriptor">The number of the descriptor there: its <see cref="Descriptor"/>.</param>
    /// <param name="access"><see cref="MemoryAccess.ReadOnly"/> or <see cref="MemoryAccess.ReadWrite"/>.</param>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64 with glibc.</exception>
    /// <exception cref="ArgumentException">The access is another one, or the descriptor is not one of a file in memory.</exception>
    /// <exception cref="UnauthorizedAccessException">The process is another user's, or hides itself (<c>PR_SET_DUMPABLE</c>).</exception>
    /// <exception cref="ShmException">There is no such process or descriptor.</exception>
    public static MemoryFile OpenFrom(int processId, int descriptor, MemoryAccess access = MemoryAccess.ReadWrite)
    {
        LinuxPlatform.Require();
        if (access is not (MemoryAccess.ReadOnly or MemoryAccess.ReadWrite))
        {
            throw new ArgumentException(
                $"A file is opened with MemoryAccess.ReadOnly or ReadWrite, and {access} is neither.", nameof(access));
        }

        var handle = OpenDescriptor(processId, descriptor, writable: access == MemoryAccess.ReadWrite);
        try
        {
            return Open(handle);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Takes over a descriptor that this process inherited: in the child what <see cref="MakeInheritable"/> is in its
    /// parent. Processes that this one starts do not inherit it any more.</summary>
    /// <param name="descriptor">The number, which the parent told the child.</param>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64 with glibc.</exception>
    /// <exception cref="ArgumentException">There is no such descriptor, it was not inherited (or is taken over already), or is not one of a
    /// file in memory.</exception>
    public static MemoryFile OpenInherited(int descriptor)
    {
        LinuxPlatform.Require();
        // Looked at before it is taken: what is refused may be somebody else's, and stays as it is.
        if (LinuxFile.IsInherited(descriptor) && LinuxFile.MemoryName($"/proc/self/fd/{descriptor}", out var target) is null)
        {
            throw new ArgumentException($"Descriptor {descriptor} is one of {Described(target)}: {OnlyMemory}", nameof(descriptor));
        }

        var handle = InheritableDescriptor.TryTake(descriptor)
            ?? throw new ArgumentException(
                $"There is no descriptor {descriptor} that this process inherited: it is not open, or was opened or taken over by this " +
                "process itself. Keep the InheritableDescriptor open until the child is started, give the child its " +
                "Number, and open it once.",
                nameof(descriptor));
        try
        {
            return Open(handle);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Makes it longer; the new bytes are zero, and their memory is taken now. There is no way back: see the seal
    /// <see cref="MemorySeals.Shrink"/>. Mappings stay as they are: map the new part, or all of it anew.</summary>
    /// <param name="lengthBytes">Its new length in bytes: not less than before.</param>
    /// <exception cref="ObjectDisposedException">The file is disposed.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The length is less than it is.</exception>
    /// <exception cref="UnauthorizedAccessException">It is sealed against growing, or was opened read-only.</exception>
    /// <exception cref="ShmNoSpaceException">The machine, or the control group, has too little memory left.</exception>
    public void Grow(long lengthBytes)
    {
        var before = LengthBytes;
        if (lengthBytes < before)
        {
            throw new ArgumentOutOfRangeException(
                nameof(lengthBytes),
                lengthBytes,
                $"\"{Name}\" has {before} bytes, and only grows: every process that has the rest mapped would die at its next access.");
        }

        lengthBytes = LinuxFile.InWholePages(Handle, lengthBytes);
        if (lengthBytes == before) return;
        RequireWritable(nameof(Grow));
        try
        {
            LinuxFile.Allocate(Handle, before, lengthBytes - before);
        }
        catch (UnauthorizedAccessException error) when (Seals.HasFlag(MemorySeals.Grow))
        {
            throw Sealed(
                MemorySeals.Grow, $"make it longer than its {before} bytes", "make it as long as it will ever be, then seal it.", error);
        }
    }

    /// <summary>Puts seals on, for everybody and for good. Those that it has already may be named again.</summary>
    /// <param name="seals">Which.</param>
    /// <exception cref="ObjectDisposedException">The file is disposed.</exception>
    /// <exception cref="ArgumentException">There is no such seal.</exception>
    /// <exception cref="UnauthorizedAccessException">It is sealed against further seals, or was opened read-only.</exception>
    /// <exception cref="ShmException"><see cref="MemorySeals.Write"/> while somebody has it mapped for writing, or the kernel does
    /// not know a seal.</exception>
    public void Seal(MemorySeals seals)
    {
        CheckSeals(seals, nameof(seals));
        if ((seals & ~Seals) == 0) return;
        RequireWritable(nameof(Seal));
        var failure = LinuxFile.TryAddSeals(Handle, (int)seals);
        if (failure != 0) throw SealRefused(seals, failure);
    }

    /// <summary>Refuses a file whose sender can still do what these seals forbid. Seals are never taken off, so what holds once holds
    /// for ever.
    /// </summary>
    /// <param name="seals">Which. <see cref="MemorySeals.Write"/> counts as <see cref="MemorySeals.FutureWrite"/>, too.</param>
    /// <exception cref="ObjectDisposedException">The file is disposed.</exception>
    /// <exception cref="ArgumentException">There is no such seal.</exception>
    /// <exception cref="ShmException">It lacks one of them; the message says what could happen.</exception>
    public void Require(MemorySeals seals)
    {
        CheckSeals(seals, nameof(seals));
        var has = Seals;
        if (has.HasFlag(MemorySeals.Write)) has |= MemorySeals.FutureWrite;
        var missing = seals & ~has;
        if (missing != MemorySeals.None) throw Unsealed(missing);
    }

    /// <summary>Maps all of it.</summary>
    /// <inheritdoc cref="Map(long, long, MemoryMappingOptions?)"/>
    public MemoryMapping Map(MemoryMappingOptions? options = null) => Map(0, LengthBytes, options);

    /// <summary>Maps a range of it, as <see cref="MemoryMapping.MapFile(SafeFileHandle, long, long, MemoryMappingOptions?)"/> does.
    /// The mapping does not need this object any more.</summary>
    /// <param name="offset">The first byte: a multiple of the page size.</param>
    /// <param name="lengthBytes">How many bytes. For writing, the file is lengthened where it ends before the range does.</param>
    /// <param name="options">How to map; null for the defaults.</param>
    /// <exception cref="ObjectDisposedException">The file is disposed.</exception>
    /// <exception cref="ArgumentException">An argument does not meet what is said above.</exception>
    /// <exception cref="UnauthorizedAccessException">It is sealed against this, or was opened read-only.</exception>
    /// <exception cref="ShmNoSpaceException">The machine has too little memory.</exception>
    /// <exception cref="ShmException">A read-only range reaches past the end, or the kernel refused.</exception>
    public MemoryMapping Map(long offset, long lengthBytes, MemoryMappingOptions? options = null)
    {
        options ??= new MemoryMappingOptions();
        try
        {
            if (CanWrite && options.Access == MemoryAccess.ReadOnly && IsSealedAgainstWriting)
            {
                // Before Linux 6.7 such a file is mapped only through a descriptor that cannot write. It changes nothing otherwise.
                using var readOnly = LinuxFile.Reopen(Handle, writable: false);
                return MemoryMapping.MapFile(readOnly, offset, lengthBytes, options);
            }

            return MemoryMapping.MapFile(Handle, offset, lengthBytes, options);
        }
        catch (UnauthorizedAccessException error) when (MapRefused(offset, lengthBytes, options, error) is { } refusal)
        {
            throw refusal;
        }
    }

    /// <summary>Opens it anew, read-only: to be handed to those who shall only read. See the remarks for how far that goes.</summary>
    /// <remarks>Through that descriptor, nobody can map or write what it does not allow. But a receiver of the same user, or root, can open
    /// the file anew for writing (<c>/proc/self/fd</c>); against that only the seals <see cref="MemorySeals.FutureWrite"/> and
    /// <see cref="MemorySeals.Write"/> help.</remarks>
    /// <exception cref="ObjectDisposedException">The file is disposed.</exception>
    /// <exception cref="ShmException">The kernel refused, for example because too many files are open, or <c>/proc</c> is not
    /// mounted.</exception>
    public MemoryFile OpenReadOnly() => new(LinuxFile.Reopen(Handle, writable: false), Name, canWrite: false);

    /// <summary>Opens a second descriptor, which processes inherit that are started before it is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The file is disposed.</exception>
    /// <exception cref="ShmException">The kernel refused, for example because too many files are open.</exception>
    public InheritableDescriptor MakeInheritable() => new(Handle);

    /// <summary>Closes the descriptor. What is mapped stays mapped, and other processes keep what they have.</summary>
    public void Dispose() => Handle.Dispose();
}
