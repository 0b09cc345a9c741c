// Tells a reader that has run out of messages whether their producer answers (one message, then it waits, too) or streams.
//
// It matters because looking at the line that a producer is filling takes the line away from it, for every store: a reader that keeps
// up with a streaming producer and looks without a pause slows both down ten times, and then sees one message at a time, as if they were
// answers (measured, 64 bytes: 11 against 100 million a second). So a reader leaves the line alone for some microseconds when it has
// read several messages since it last waited, and looks at once when it has read one. In that state it makes a trial now and then: it
// leaves the line alone for a moment, and if there are several messages then, they stream. Trials become rare while they find nothing.

namespace ShmIpc.Waiting;

internal struct ArrivalGauge
{
    private const int StreamPauses = 100; // of Thread.SpinWait: some four microseconds
    private const int TrialPauses = 10;
    private const int ShortestInterval = 16;
    private const int LongestInterval = 4096;

    private bool _isPausing;
    private int _interval;
    private int _waitsToTrial;

    /// <summary>A wait begins. How often to pause (<see cref="Thread.SpinWait"/>) before the first look; 0 for an answer.</summary>
    /// <param name="messages">How many were read since the last wait began.</param>
    public int PausesBefore(long messages)
    {
        if (messages == 0)
        {
            return 0; // the same wait goes on
        }

        if (messages > 1)
        {
            (_isPausing, _interval, _waitsToTrial) = (true, ShortestInterval, ShortestInterval);
            return StreamPauses;
        }

        if (_isPausing)
        {
            _isPausing = false;
            _interval = Math.Clamp(_interval * 2, ShortestInterval, LongestInterval);
            _waitsToTrial = _interval;
        }

        _isPausing = --_waitsToTrial <= 0;
        return _isPausing ? TrialPauses : 0;
    }
}
