// Who saw what: one byte for each message of each producer, in a mapped file, so that what a consumer noted survives its death. The low
// half counts deliveries that were announced as the first, the high half those that were announced as repeated.

using System.IO.MemoryMappedFiles;

namespace ShmIpc.ProcessTests.Harness;

internal sealed unsafe class Ledger : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _notes;
    private readonly long _producers;
    private readonly long _messages;

    /// <param name="path">The file; its pages are taken when they are first written.</param>
    /// <param name="producers">Most producers that there will be.</param>
    /// <param name="messages">Most messages of one producer.</param>
    public Ledger(string path, long producers, long messages)
    {
        (_producers, _messages) = (producers, messages);
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.OpenOrCreate, null, producers * messages);
        _view = _file.CreateViewAccessor();
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _notes = start;
    }

    public (int First, int Repeated) this[long producer, long number]
    {
        get
        {
            byte note = Volatile.Read(ref _notes[Index(producer, number)]);
            return (note & 15, note >> 4);
        }
    }

    public void Note(long producer, long number, bool isRepeated)
    {
        ref byte note = ref _notes[Index(producer, number)];
        int half = isRepeated ? note >> 4 : note & 15;
        if (half == 15)
        {
            throw new InvalidOperationException($"Message {number} of producer {producer} came for the 16th time.");
        }

        Volatile.Write(ref note, (byte)(note + (isRepeated ? 16 : 1)));
    }

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }

    private long Index(long producer, long number) => producer >= 0 && producer < _producers && number >= 0 && number < _messages
        ? (producer * _messages) + number
        : throw new ArgumentOutOfRangeException(nameof(number), $"Message {number} of producer {producer} was never written.");
}
