// Decides whether a replay arrived as it was sent: every line once, in order, unchanged.
//
// A channel outlives its users, so a consumer may find what an earlier replay left in it, or attach in the middle of one. Such lines
// are not this consumer's: a producer waits for a consumer before its first line, so the replay to check begins after `attachedTimestamp`.
// Every other replay is counted as foreign and otherwise ignored.
using ShmIpc.Examples.Messages;

namespace ShmIpc.Examples.Consumer;

/// <summary>Checks one replay, line by line.</summary>
/// <param name="attachedTimestamp">When the consumer joined the channel.</param>
internal sealed class ReplayChecker(long attachedTimestamp)
{
    private readonly HashSet<long> _foreignRuns = [];
    private ReplayHash _hash;
    private long _run;
    private long _highest;

    /// <summary>Lines that arrived.</summary>
    public long Lines { get; private set; }

    /// <summary>Bytes in them.</summary>
    public long TextBytes { get; private set; }

    /// <summary>Lines whose number was left out.</summary>
    public long Lost { get; private set; }

    /// <summary>Lines that came after a later one, or twice.</summary>
    public long OutOfOrder { get; private set; }

    /// <summary>Messages of other replays.</summary>
    public long Foreign { get; private set; }

    /// <summary>What the producer says it sent; null until the replay has ended.</summary>
    public ReplayEnd? End { get; private set; }

    /// <summary>The hash of what arrived.</summary>
    public uint Hash => _hash.Value;

    /// <summary>Whether the replay to check has begun.</summary>
    public bool HasBegun => _run != 0;

    /// <summary>Whether the replay has ended and arrived as it was sent.</summary>
    public bool IsComplete => End is { } end && Lost == 0 && OutOfOrder == 0 && end == new ReplayEnd(Lines, TextBytes, Hash);

    /// <summary>Takes the next message; false when it is of another replay.</summary>
    public bool Add(in ReplayLine line)
    {
        if (line.Run != _run && !Begins(line))
        {
            Foreign++;
            return false;
        }

        if (line.Number > _highest)
        {
            Lost += line.Number - _highest - 1;
            _highest = line.Number;
        }
        else
        {
            OutOfOrder++;
        }

        if (line.End is not null)
        {
            End = line.End;
            return true;
        }
        Lines++;
        TextBytes += line.Text.Length;
        _hash.Add(line.Number, line.Text.Span);
        return true;
    }

    private bool Begins(in ReplayLine line)
    {
        if (HasBegun || _foreignRuns.Contains(line.Run))
            return false;
        if (line.SentTimestamp < attachedTimestamp)
        {
            _foreignRuns.Add(line.Run);
            return false;
        }
        _run = line.Run;
        return true;
    }
}
