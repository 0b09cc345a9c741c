// The one thread of a process that flushes the lanes of Async channels, each in its own period. It ends with the process, and sleeps
// while there is nothing to flush.

using ShmIpc.Interop;
using ShmIpc.Memory;

namespace ShmIpc.Channels;

internal static class BackgroundFlusher
{
    private static readonly Lock _changing = new();
    private static readonly AutoResetEvent _changed = new(false);
    private static LaneJournal[] _journals = [];
    private static bool _isRunning;
    private static int _generation;

    public static void Add(LaneJournal journal)
    {
        lock (_changing)
        {
            if (_generation != ForkMarker.Join())
            {
                // A forked child has its parent's memory, and not its thread.
                (_generation, _isRunning, _journals) = (ForkMarker.Generation, false, []);
            }

            if (!_isRunning)
            {
                BackgroundThread.Start(Run, "ShmIpc flusher"); // first: it may fail, and then nobody counts on it
                _isRunning = true;
            }

            _journals = [.. _journals, journal];
        }

        _changed.Set();
    }

    public static void Remove(LaneJournal journal)
    {
        lock (_changing)
        {
            _journals = [.. _journals.Where(other => other != journal)];
        }
    }

    private static void Run()
    {
        while (true)
        {
            LaneJournal[] journals;
            lock (_changing)
            {
                journals = _journals;
            }

            long waitMs = PersistenceSettings.MaxFlushPeriodMs;
            foreach (LaneJournal journal in journals)
            {
                waitMs = Math.Min(waitMs, journal.FlushIfDue(Environment.TickCount64));
            }

            _changed.WaitOne((int)Math.Max(waitMs, 0));
        }
    }
}
