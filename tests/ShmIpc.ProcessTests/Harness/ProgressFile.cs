// Counters in a mapped file, one a child: what a child acknowledged survives its death, whatever the instant. Made with .NET's own
// memory-mapped files, so that the tests do not lean on what they test.

using System.IO.MemoryMappedFiles;

namespace ShmIpc.ProcessTests.Harness;

internal sealed unsafe class ProgressFile : IDisposable
{
    private const int Counters = 512;
    private const int StrideWords = 16; // two cache lines each
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly long* _words;

    public ProgressFile(string path)
    {
        Path = path;
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.OpenOrCreate, null, Counters * StrideWords * sizeof(long));
        _view = _file.CreateViewAccessor();
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _words = (long*)start;
    }

    public string Path { get; }

    /// <summary>Stored after everything that the storing child did before, as every other process sees it.</summary>
    public long this[int counter]
    {
        get => Volatile.Read(ref _words[Index(counter)]);
        set => Volatile.Write(ref _words[Index(counter)], value);
    }

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }

    private static int Index(int counter) => counter is >= 0 and < Counters
        ? counter * StrideWords
        : throw new ArgumentOutOfRangeException(nameof(counter));
}
