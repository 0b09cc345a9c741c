// How a region is deleted; the argument stands at the top of RegionFile.cs.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using ShmIpc.Memory;
using ShmIpc.Waiting;

namespace ShmIpc.Regions;

internal sealed partial class RegionFile
{
    /// <param name="directory">The root.</param>
    /// <param name="name">The region.</param>
    /// <param name="onlyIfMarked">True to finish what a deleter left that died: a new region may stand under the name by now, and
    /// stays.</param>
    private static bool Delete(RegionRoot directory, string name, bool onlyIfMarked)
    {
        string path = Path.Combine(directory.Path, name);
        for (int attempt = 0; attempt < MaxAttempts; attempt++)
        {
            using SafeFileHandle? file = OpenChecked(directory, name, path);
            if (file is null)
            {
                return false;
            }

            if (!LinuxFile.TryLock(file, RegionLocks.Lifecycle, 1, exclusive: true))
            {
                Thread.Sleep(_busyPause);
                continue;
            }

            if (!IsCurrent(directory, name, file))
            {
                continue;
            }

            if (onlyIfMarked && ReadState(file) != RegionLayout.StateDeleted)
            {
                return false;
            }

            directory.CheckMayDelete(path, LinuxFile.Status(file)); // before the mark: a refused deletion changes nothing
            MarkDeleted(file, path);
            return LinuxFile.TryUnlinkAt(directory.Directory, name);
        }

        throw new ShmException($"Cannot delete {path}: somebody has been attaching to it for 5 seconds. Is a process stopped there?");
    }

    private static void MarkDeleted(SafeFileHandle file, string path)
    {
        RegionHeader header;
        try
        {
            header = RegionHeader.Read(file, LinuxFile.Status(file).SizeBytes, path);
        }
        catch (ShmRegionFormatException)
        {
            return; // nobody can attach to it
        }

        using (MemoryMapping first = MemoryMapping.MapFile(file, 0, RegionLayout.HeaderBytes))
        {
            Atomics.Release(ref first.Whole.UInt32(RegionLayout.StateOffset), RegionLayout.StateDeleted);
        }

        // Ringing only hastens it: nobody sleeps for long. So a section that is not where it should be is left alone.
        RegionSection doorbells = header.Sections.FirstOrDefault(section => section.Kind == SectionKind.Doorbells);
        if (doorbells.LengthBytes == DoorbellLayout.SectionBytes)
        {
            long start = doorbells.Offset / LinuxProcess.PageSizeBytes * LinuxProcess.PageSizeBytes;
            using MemoryMapping mapping = MemoryMapping.MapFile(file, start, doorbells.End - start);
            WaitingRoom.CloseAll(mapping.Whole.Slice(doorbells.Offset - start, doorbells.LengthBytes));
        }
    }
}
