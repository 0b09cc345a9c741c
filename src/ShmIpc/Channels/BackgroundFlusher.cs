// The one thread of a process that flushes the lanes of Async channels, each in its own period. It ends with the process, and sleeps
// while there is nothing to flush.

using ShmIpc.Memory;

namespace ShmIpc.Channels;

internal static class BackgroundFlusher
{
    private static readonly Lock _changing = new();
    private static readonly AutoResetEvent _changed = new(false);
    private static LaneJournal[] _journals = [];
    private static Thread? _thread;
    private static int _generation;

    public static void Add(LaneJournal journal)
    {
        lock (_changing)
        {
            if (_generation != ForkMarker.Join())
            {
                // A forked child has its parent's memory, and not its thread.
                (_generation, _thread, _journals) = (ForkMarker.Generation, null, []);
            }

            _journals = [.. _journals, journal];
            if (_thread is null)
            {
                _thread = new Thread(Run) { IsBackground = true, Name = "ShmIpc flusher" };
                _thread.Start();
            }
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
