// A region without a name in any file system: a sealed memfd. Whoever has a descriptor of it can attach (a child that inherited one, a
// process that was sent one), and it is gone with the last of them. Each attachment opens the memory anew through /proc/self/fd, because
// locks belong to open file descriptions, and an inherited descriptor shares its parent's.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using ShmIpc.Memory;

namespace ShmIpc.Regions;

internal sealed partial class RegionFile
{
    /// <summary>Makes an empty memory file for one region. Nothing that is started by exec inherits it by itself.</summary>
    public static SafeFileHandle NewMemory(string name)
    {
        RegionName.Check(name);
        return LinuxFile.CreateInMemory($"shmipc-{name}");
    }

    /// <summary>Makes a region in an empty memory file, seals the file's length, and attaches.</summary>
    /// <param name="name">What messages call the region; it need not be unique.</param>
    /// <param name="memory">From <see cref="NewMemory"/>; stays the caller's.</param>
    /// <param name="blueprint">What to build.</param>
    /// <param name="initialize">Writes what is not zero at first.</param>
    /// <param name="check">Refuses what is not what was asked for.</param>
    /// <exception cref="ShmRegionExistsException">There is something in the file.</exception>
    /// <exception cref="ShmNoSpaceException">The machine has too little memory left.</exception>
    public static RegionFile CreateInMemory(
        string name, SafeFileHandle memory, RegionBlueprint blueprint, Action<MappedSpan> initialize, Action<RegionHeader> check)
    {
        RegionName.Check(name);
        if (LinuxFile.Status(memory).SizeBytes != 0)
        {
            throw new ShmRegionExistsException($"The memory for the region {name} is not empty. Open what is there, or make new memory.");
        }

        if (blueprint.IsDurable)
        {
            throw new ShmException(
                $"The region {name} is to survive power cuts, and is to lie in memory, where nothing does. Leave Flush out, or choose a "
                + "Root on a disk.");
        }

        LinuxMemory.RequireAvailable(blueprint.NeededBytes);
        LinuxFile.SetLength(memory, blueprint.TotalBytes);
        using (MemoryMapping control = MemoryMapping.MapFile(memory, 0, blueprint.ControlBytes))
        {
            initialize(control.Whole);
            RegionHeader.Write(control.GetSpan(0, RegionLayout.HeaderBytes), blueprint);
        }

        LinuxFile.SealLength(memory);
        return OpenInMemory(name, memory, check);
    }

    /// <summary>Attaches to the region in a memory file.</summary>
    /// <param name="name">What messages call the region.</param>
    /// <param name="memory">A descriptor of it, from wherever; stays the caller's, and may be closed.</param>
    /// <param name="check">Refuses what is not what was asked for.</param>
    /// <exception cref="ShmRegionFormatException">It is not such a region, or others could truncate it.</exception>
    /// <exception cref="ShmRegionDeletedException">Its owner is done with it.</exception>
    public static RegionFile OpenInMemory(string name, SafeFileHandle memory, Action<RegionHeader> check)
    {
        RegionName.Check(name);
        string path = InMemoryPath(name);
        SafeFileHandle file = LinuxFile.Reopen(memory);
        try
        {
            if (!LinuxFile.HasSealedLength(file))
            {
                throw RegionHeader.Refuse(path, "its length is not sealed, so that anybody could truncate it");
            }

            return Attach(name, path, file, check, recover: null)
                ?? throw new ShmRegionDeletedException($"{path} was deleted: whoever made it is done with it.");
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Tells everybody who is attached that the region is done with: the next operation of each says so.</summary>
    public static void DeleteInMemory(string name, SafeFileHandle memory) => MarkDeleted(memory, InMemoryPath(name));

    private static string InMemoryPath(string name) => $"memfd:{name}";
}
