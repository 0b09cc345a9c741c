// An attachment to a region: its file, opened, checked and mapped. Regions appear complete or not at all, and names are never shared
// by two populations:
//
//   Creating  builds the region as a file without a name (O_TMPFILE), allocates and initialises it, attaches to it, and links it into
//             place without replacing anything. A death or a failure before the link leaves nothing, and behind it nothing can fail;
//             two creators: one links, the other finds EEXIST.
//   Attaching opens the name, takes the lifecycle byte shared, and then compares the descriptor's inode with the name's: a deleter
//             that came in between has unlinked it, and the attacher starts again. The lock is held until everything is mapped.
//   Deleting  takes the lifecycle byte exclusively, marks the header deleted, rings every doorbell, unlinks the name. Those who are
//             still attached keep their memory and learn of it from the header. A deleter that dies in between leaves a name with a
//             header marked deleted; whoever finds it so takes the same lock, looks again, and finishes the deletion.
//
//   Recovering  a region on a disk that was last in order in another boot of the machine may hold anything that was ever written. The
//             first who attaches brings it in order (what that means is its kind's business), alone: it holds the recovery byte, which
//             its death gives to the next, and only then stores this boot's id.
//
// Two descriptions of the file: one that holds our locks, and one that never holds any and asks about others' (ParticipantTable.cs).

using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using ShmIpc.Memory;

namespace ShmIpc.Regions;

internal sealed partial class RegionFile : IDisposable
{
    private const int MaxAttempts = 1_000;
    private static readonly TimeSpan _busyPause = TimeSpan.FromMilliseconds(5);

    private readonly SafeFileHandle _lockFile;
    private readonly SafeFileHandle _probeFile;
    private readonly MappedSpan _control;

    private RegionFile(string name, RegionHeader header, SafeFileHandle lockFile, SafeFileHandle probeFile, MemoryMapping control)
    {
        Name = name;
        Header = header;
        _lockFile = lockFile;
        _probeFile = probeFile;
        Control = control;
        _control = control.Whole;
        IsOnDisk = !RegionRoot.IsInMemory(lockFile);
        RegionSection participants = header.Section(SectionKind.Participants);
        Participants = new ParticipantTable(Span(SectionKind.Participants), participants.Count, lockFile, probeFile, header.Path);
    }

    public string Name { get; }

    public RegionHeader Header { get; }

    public MemoryMapping Control { get; }

    public ParticipantTable Participants { get; }

    /// <summary>The file, for mapping sections that lie behind the control part.</summary>
    public SafeFileHandle File => _lockFile;

    /// <summary>The boot in which the region was made, or last brought in order.</summary>
    public Span<byte> OrderedInBoot => _control.Bytes(RegionLayout.OrderedInBootOffset, 16);

    /// <summary>True when the region lies on a disk, and so may survive a restart of the machine.</summary>
    public bool IsOnDisk { get; }

    public bool IsDeleted => Atomics.Acquire(ref _control.UInt32(RegionLayout.StateOffset)) != RegionLayout.StateInUse;

    /// <exception cref="ShmRegionDeletedException">Somebody deleted the region.</exception>
    public void ThrowIfDeleted()
    {
        if (IsDeleted)
        {
            throw new ShmRegionDeletedException(
                $"{Header.Path} was deleted while it was in use. Dispose what uses it, and create or open it anew.");
        }
    }

    /// <summary>Takes one of <see cref="RegionLocks"/> for this attachment, which has it already if another thread took it: exclude those
    /// otherwise. A death gives it back.</summary>
    public bool TryLock(long offset) => LinuxFile.TryLock(_lockFile, offset, 1, exclusive: true);

    public void Unlock(long offset) => LinuxFile.Unlock(_lockFile, offset, 1);

    /// <summary>The memory of a section of the control part.</summary>
    public MappedSpan Span(SectionKind kind)
    {
        RegionSection section = Header.Section(kind);
        return _control.Slice(section.Offset, section.LengthBytes);
    }

    /// <summary>Creates the region.</summary>
    /// <exception cref="ShmRegionExistsException">The name is taken.</exception>
    /// <exception cref="ShmNoSpaceException">The file system has too little room.</exception>
    public static RegionFile Create(
        string name,
        string? root,
        RegionBlueprint blueprint,
        Action<MappedSpan> initialize,
        Action<RegionHeader> check,
        Action<RegionFile>? recover = null)
    {
        RegionName.Check(name);
        using RegionRoot directory = RegionRoot.Open(root);
        return TryCreate(directory, name, blueprint, initialize, check, recover) ?? throw new ShmRegionExistsException(
            $"The region {Path.Combine(directory.Path, name)} exists already. Open it, delete it first, or use CreateOrOpen.");
    }

    /// <summary>Opens an existing region.</summary>
    /// <exception cref="ShmRegionNotFoundException">There is none of that name.</exception>
    /// <exception cref="ShmRegionFormatException">It is not what was asked for.</exception>
    public static RegionFile Open(string name, string? root, Action<RegionHeader> check, Action<RegionFile>? recover = null)
    {
        RegionName.Check(name);
        string rootPath = RegionRoot.PathOf(root);
        if (!LinuxFile.TryStatus(rootPath, out _))
        {
            throw NotFound(rootPath, name); // an opener leaves nothing behind, not even a directory
        }

        using RegionRoot directory = RegionRoot.Open(root);
        return TryAttach(directory, name, check, recover) ?? throw NotFound(rootPath, name);
    }

    /// <summary>Opens the region, or creates it when there is none.</summary>
    public static RegionFile CreateOrOpen(
        string name,
        string? root,
        Func<RegionBlueprint> blueprint,
        Action<MappedSpan> initialize,
        Action<RegionHeader> check,
        Action<RegionFile>? recover = null)
    {
        RegionName.Check(name);
        using RegionRoot directory = RegionRoot.Open(root);
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            RegionFile? attached = TryAttach(directory, name, check, recover)
                ?? TryCreate(directory, name, blueprint(), initialize, check, recover); // else the next round attaches to another's
            if (attached is not null)
            {
                return attached;
            }
        }

        throw new ShmException($"The region {Path.Combine(directory.Path, name)} is deleted again and again while it is being opened.");
    }

    public static bool Exists(string name, string? root)
    {
        RegionName.Check(name);
        if (!HasRoot(root))
        {
            return false;
        }

        using RegionRoot directory = RegionRoot.Open(root);
        return LinuxFile.TryStatusAt(directory.Directory, name, out _);
    }

    /// <summary>Deletes a region, in use or not, whole or damaged. False when there is none.</summary>
    public static bool Delete(string name, string? root)
    {
        RegionName.Check(name);
        if (!HasRoot(root))
        {
            return false;
        }

        using RegionRoot directory = RegionRoot.Open(root);
        return Delete(directory, name, onlyIfMarked: false);
    }

    private static bool HasRoot(string? root) =>
        LinuxFile.TryStatus(RegionRoot.PathOf(root), out FileStatus status) && status.IsDirectory;

    /// <summary>Makes the region and attaches to it, and only then gives it its name: whoever cannot attach leaves nothing behind. Null
    /// when the name is taken.</summary>
    private static RegionFile? TryCreate(
        RegionRoot directory,
        string name,
        RegionBlueprint blueprint,
        Action<MappedSpan> initialize,
        Action<RegionHeader> check,
        Action<RegionFile>? recover)
    {
        if (LinuxFile.TryStatusAt(directory.Directory, name, out _))
        {
            return null;
        }

        SafeFileHandle file = LinuxFile.OpenTemporaryAt(directory.Directory, directory.FileMode);
        RegionFile? attached = null;
        bool isNamed = false;
        try
        {
            Build(directory, name, file, blueprint, initialize);
            attached = Attach(name, Path.Combine(directory.Path, name), file, check, recover);
            isNamed = LinuxFile.TryLinkAt(file, directory.Directory, name);
            return isNamed ? attached : null;
        }
        finally
        {
            if (!isNamed)
            {
                attached?.Dispose();
                file.Dispose();
            }
        }
    }

    /// <summary>Takes the space of a region and initialises it.</summary>
    private static void Build(
        RegionRoot directory, string name, SafeFileHandle file, RegionBlueprint blueprint, Action<MappedSpan> initialize)
    {
        long available = LinuxFile.AvailableBytes(file);
        if (available < blueprint.NeededBytes)
        {
            throw new ShmNoSpaceException(
                $"The region {name} needs {blueprint.NeededBytes} bytes before its first message, and the file system of "
                + $"{directory.Path} has {available} free. "
                + $"Create it smaller ({blueprint.SizeOption}), free some room, or enlarge the file system (mount -o remount,size=..., "
                + "docker --shm-size).",
                blueprint.NeededBytes,
                available);
        }

        if (blueprint.IsDurable)
        {
            directory.CheckDurable();
        }

        LinuxFile.SetLength(file, blueprint.TotalBytes);
        using (MemoryMapping control = MemoryMapping.MapFile(file, 0, blueprint.ControlBytes))
        {
            initialize(control.Whole);
            RegionHeader.Write(control.GetSpan(0, RegionLayout.HeaderBytes), blueprint);
        }

        if (blueprint.IsDurable)
        {
            LinuxFile.Sync(file); // a name that survives stands for a region that does
        }
    }

    private static RegionFile? TryAttach(RegionRoot directory, string name, Action<RegionHeader> check, Action<RegionFile>? recover)
    {
        string path = Path.Combine(directory.Path, name);
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            SafeFileHandle? file = OpenChecked(directory, name, path);
            if (file is null)
            {
                return null;
            }

            try
            {
                if (!LinuxFile.TryLock(file, RegionLocks.Lifecycle, 1, exclusive: false))
                {
                    Thread.Sleep(_busyPause); // somebody is deleting it
                    continue;
                }

                if (!IsCurrent(directory, name, file))
                {
                    continue;
                }

                if (Attach(name, path, file, check, recover) is { } attached)
                {
                    file = null;
                    return attached;
                }
            }
            finally
            {
                file?.Dispose();
            }

            Delete(directory, name, onlyIfMarked: true); // its deleter died halfway
        }

        throw new ShmException($"Cannot attach to {path}: somebody has been deleting it for 5 seconds. Is a process stopped there?");
    }

    /// <summary>Maps a region whose name is current. Null when it is marked deleted all the same.</summary>
    private static RegionFile? Attach(
        string name, string path, SafeFileHandle file, Action<RegionHeader> check, Action<RegionFile>? recover)
    {
        RegionHeader header = RegionHeader.Read(file, LinuxFile.Status(file).SizeBytes, path);
        uint state = ReadState(file);
        if (state == RegionLayout.StateDeleted)
        {
            return null;
        }

        if (state != RegionLayout.StateInUse)
        {
            throw RegionHeader.Refuse(
                path, $"its state is {state}, and a region is in use ({RegionLayout.StateInUse}) or deleted "
                    + $"({RegionLayout.StateDeleted}). A peer damaged it");
        }

        check(header);
        SafeFileHandle probe = LinuxFile.Reopen(file);
        MemoryMapping? control = null;
        try
        {
            control = MemoryMapping.MapFile(file, 0, header.ControlBytes);
            RegionFile attached = new(name, header, file, probe, control);
            if (recover is not null)
            {
                RegionRecovery.Run(attached, probe, recover);
            }

            LinuxFile.TryLock(file, RegionLocks.Attached, 1, exclusive: false);
            LinuxFile.Unlock(file, RegionLocks.Lifecycle, 1);
            return attached;
        }
        catch
        {
            control?.Dispose();
            probe.Dispose();
            throw;
        }
    }

    private static SafeFileHandle? OpenChecked(RegionRoot directory, string name, string path)
    {
        if (!LinuxFile.TryStatusAt(directory.Directory, name, out FileStatus named))
        {
            return null;
        }

        if (named.IsSymbolicLink)
        {
            throw RegionHeader.Refuse(path, "it is a symbolic link");
        }

        directory.CheckFile(path, named); // before the open: opening a device or a pipe can have effects
        SafeFileHandle? file = LinuxFile.TryOpenAt(directory.Directory, name, out int errno);
        if (file is null)
        {
            return LinuxError.NameOf(errno) == "ENOENT" ? null : throw LinuxError.ToException(errno, "open", path);
        }

        try
        {
            directory.CheckFile(path, LinuxFile.Status(file));
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static bool IsCurrent(RegionRoot directory, string name, SafeFileHandle file)
    {
        FileStatus opened = LinuxFile.Status(file);
        return LinuxFile.TryStatusAt(directory.Directory, name, out FileStatus named)
            && named.Inode == opened.Inode && named.Device == opened.Device;
    }

    private static uint ReadState(SafeFileHandle file)
    {
        Span<byte> word = stackalloc byte[sizeof(uint)];
        return LinuxFile.ReadAt(file, word, RegionLayout.StateOffset) == word.Length ? BinaryPrimitives.ReadUInt32LittleEndian(word) : 0;
    }

    private static ShmRegionNotFoundException NotFound(string root, string name) =>
        new($"There is no region {Path.Combine(root, name)}. Start whoever creates it first, or use CreateOrOpen.");
}
