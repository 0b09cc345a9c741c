// One byte for each point of the code, in a file that all processes of the tests map: what a process ran before it was killed counts.
// Compiled into the library in a coverage build only.

using System.IO.MemoryMappedFiles;
using System.Runtime.CompilerServices;

namespace ShmIpc.Coverage;

internal static unsafe class Hits
{
    private const int MaxPoints = 1 << 16;
    private static readonly byte* _points = Map();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Mark(int point)
    {
        if (_points[point] == 0)
        {
            _points[point] = 1; // only once: the line stays shared
        }
    }

    private static byte* Map()
    {
        string? path = Environment.GetEnvironmentVariable("SHMIPC_COVERAGE");
        if (path is null)
        {
            return (byte*)System.Runtime.InteropServices.NativeMemory.AllocZeroed(MaxPoints);
        }

        FileStream stream = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        MemoryMappedFile file = MemoryMappedFile.CreateFromFile(
            stream, null, MaxPoints, MemoryMappedFileAccess.ReadWrite, HandleInheritability.Inheritable, leaveOpen: false);
        MemoryMappedViewAccessor view = file.CreateViewAccessor(); // inheritable: forked children have it, too
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start); // for as long as the process lives
        return start;
    }
}
