using System.Diagnostics.CodeAnalysis;
using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using ShmIpc.Memory;
using ShmIpc.Regions;

namespace ShmIpc.Workers;

/// <summary>Memory that a process shares with the workers that it starts afterwards, found there by its name. It has no name in any file
/// system, and is gone with the last process that has it.</summary>
/// <remarks>It is plain memory: who writes where, and when others may read it, is the program's business. For messages there are
/// channels.</remarks>
public sealed class SharedRegion : IDisposable
{
    /// <summary>Most shared regions that a process may have made and not disposed: each worker gets all of them, and the kernel hands 253
    /// descriptors to another process at once, some of which are the pool's.</summary>
    public const int MaxPerProcess = 240;

    private readonly bool _isInherited;

    private SharedRegion(string name, MemoryMapping mapping, SafeFileHandle? memory, bool isInherited)
    {
        Name = name;
        Mapping = mapping;
        Memory = memory;
        _isInherited = isInherited;
    }

    /// <summary>The name by which workers find it.</summary>
    public string Name { get; }

    /// <summary>The memory.</summary>
    public MemoryMapping Mapping { get; }

    /// <summary>True for memory that only forked processes share (<see cref="CreateAnonymous"/>).</summary>
    public bool IsAnonymous => Memory is null;

    /// <summary>The memory file, for those who are to inherit it; null when there is none.</summary>
    internal SafeFileHandle? Memory { get; }

    /// <summary>Makes a region, all zero, for workers of any start mode: a memory file whose length is sealed, so that nobody's truncation
    /// ends a process that uses it.</summary>
    /// <param name="name">1 to 200 of the characters A-Z a-z 0-9 . _ - that start with a letter or a digit; one that this process does not
    /// use yet.</param>
    /// <param name="lengthBytes">How many bytes; more than zero. They are taken at once.</param>
    /// <exception cref="ArgumentException">The name breaks the rule, or the length is not more than zero.</exception>
    /// <exception cref="ShmRegionExistsException">This process has a region of that name.</exception>
    /// <exception cref="ShmLimitException">This process has <see cref="MaxPerProcess"/> of them already.</exception>
    /// <exception cref="ShmNoSpaceException">The machine has too little memory left.</exception>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64.</exception>
    public static SharedRegion Create(string name, long lengthBytes)
    {
        Check(name, lengthBytes);
        SafeFileHandle memory = RegionFile.NewMemory(name);
        MemoryMapping? mapping = null;
        try
        {
            mapping = MemoryMapping.MapFile(memory, 0, lengthBytes);
            LinuxFile.SealLength(memory);
            SharedRegion created = new(name, mapping, memory, isInherited: false);
            SharedRegionTable.Add(created);
            return created;
        }
        catch
        {
            mapping?.Dispose();
            memory.Dispose();
            throw;
        }
    }

    /// <summary>Makes a region, all zero, in the memory that suits workers of a start mode: shared anonymous memory for
    /// <see cref="WorkerStartMode.Fork"/>, as <see cref="CreateAnonymous"/> does; else a memory file, as
    /// <see cref="Create(string, long)"/> does. Workers open either by its name.</summary>
    /// <param name="name">As there.</param>
    /// <param name="lengthBytes">As there.</param>
    /// <param name="startMode">That of the pool whose workers are to have it.</param>
    /// <inheritdoc cref="Create(string, long)" path="/exception"/>
    public static SharedRegion Create(string name, long lengthBytes, WorkerStartMode startMode) =>
        startMode == WorkerStartMode.Fork ? CreateAnonymous(name, lengthBytes) : Create(name, lengthBytes);

    /// <summary>Makes a region, all zero, without any file: shared anonymous memory, which workers of <see cref="WorkerStartMode.Fork"/>
    /// have, and no others.</summary>
    /// <inheritdoc cref="Create(string, long)" path="/param"/>
    /// <inheritdoc cref="Create(string, long)" path="/exception"/>
    [Experimental(ForkSupport.DiagnosticId)]
    public static SharedRegion CreateAnonymous(string name, long lengthBytes)
    {
        Check(name, lengthBytes);
        MemoryMapping mapping = MemoryMapping.MapAnonymous(lengthBytes, new MemoryMappingOptions { Sharing = MappingSharing.Shared });
        try
        {
            SharedRegion created = new(name, mapping, memory: null, isInherited: false);
            SharedRegionTable.Add(created);
            return created;
        }
        catch
        {
            mapping.Dispose();
            throw;
        }
    }

    /// <summary>In a worker: the region of that name of the process that started it. In the process that made it: that itself.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The one object for it that this process has: dispose it once, or not at all.</returns>
    /// <exception cref="ShmRegionNotFoundException">There was none when the worker was started, or it is one that only forked workers
    /// have; the message says which.</exception>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64.</exception>
    public static SharedRegion Open(string name)
    {
        LinuxPlatform.Require();
        RegionName.Check(name);
        return SharedRegionTable.Find(name);
    }

    /// <summary>Lets go of the memory in this process. Workers that are started from here on do not get it.</summary>
    public void Dispose()
    {
        SharedRegionTable.Remove(this);
        Mapping.Dispose();
        Memory?.Dispose();
    }

    internal static SharedRegion FromParent(string name, SafeFileHandle memory) =>
        new(name, MemoryMapping.MapFile(memory, 0, LinuxFile.Status(memory).SizeBytes), memory, isInherited: true);

    /// <summary>True for what this process gives to workers that it starts.</summary>
    internal bool IsOwn => !_isInherited;

    private static void Check(string name, long lengthBytes)
    {
        LinuxPlatform.Require();
        RegionName.Check(name);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(lengthBytes);
    }
}
