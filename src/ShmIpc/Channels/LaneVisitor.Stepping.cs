// The short way of reading, which most reads go: the next message of the lane that the last one came from. It knows nothing of named
// groups, manual acknowledgement, readers that may be overrun, extensions, sleeping producers or the turn of the next lane; where one
// of them may be, it says false, and LaneVisitor.TryRead goes the long way.

using System.Numerics;
using System.Runtime.CompilerServices;
using ShmIpc.Rings;
using ShmIpc.Waiting;

namespace ShmIpc.Channels;

internal sealed partial class LaneVisitor
{
    /// <summary>False when <see cref="TryStep"/> has nothing to do with what stands in the lane: it is another lane's turn, or there is
    /// room to give back.</summary>
    public bool CanStep => _isPlain && _batchLeft > 0 && !_current!.IsReleaseDue;

    /// <summary>What most reads are, in as few steps as can be: the next message of the same lane, and nobody waits. False says nothing:
    /// <see cref="TryRead"/> is for all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryStep(out LaneRecord record)
    {
        if (_isPlain && _batchLeft > 0 && !_writers.AnyParked && _current!.TryStep(out record))
        {
            _batchLeft--;
            return true;
        }

        record = default;
        return false;
    }

    /// <summary>A message of the batch that was just read, in as few steps as can be. False says nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryPayloadAt(long position, long sequence, out ReadOnlySpan<byte> payload, out long next)
    {
        if (_isPlain)
        {
            return _current!.TryPayloadAt(position, sequence, out payload, out next);
        }

        payload = default;
        next = 0;
        return false;
    }

    /// <summary>Looks at the lanes that are mapped, some times: a tight spin, for latency. True when one has a message; false says
    /// nothing.</summary>
    public bool Poll(int looks)
    {
        if (!_isPlain || _reading == 0)
        {
            Thread.SpinWait(1);
            return false;
        }

        for (int look = 0; look < looks; look++)
        {
            for (ulong lanes = _reading; lanes != 0; lanes &= lanes - 1)
            {
                if (_readers[BitOperations.TrailingZeroCount(lanes)]!.HasNext)
                {
                    return true;
                }
            }

            Spinner.Pause();
        }

        return false;
    }
}
