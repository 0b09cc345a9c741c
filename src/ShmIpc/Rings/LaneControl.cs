// A lane's control block as words with names. It owns nothing and decides nothing; LaneWriter, LaneReader and the channel do.

using System.Text;
using ShmIpc.Memory;

namespace ShmIpc.Rings;

internal readonly struct LaneControl(MappedSpan block)
{
    private readonly MappedSpan _block = block;

    /// <summary>The stamp of the producer that owns the lane, 0 for nobody.</summary>
    public ref ulong Owner => ref _block.UInt64(LaneLayout.OwnerOffset);

    public PositionCell Committed => new(_block.Slice(LaneLayout.CommittedOffset, PositionCell.Bytes));

    public PositionCell Floor => new(_block.Slice(LaneLayout.FloorOffset, PositionCell.Bytes));

    /// <summary>Messages that the lane's producers, one after the other, have dropped for want of room.</summary>
    public ref ulong Dropped => ref _block.UInt64(LaneLayout.DroppedOffset);

    /// <summary>The stamp of the producer that completed this lane last.</summary>
    public ref ulong Completion => ref _block.UInt64(LaneLayout.CompletionOffset);

    /// <summary>Not 0 once somebody asked to flush this lane.</summary>
    public ref ulong Journaled => ref _block.UInt64(LaneLayout.JournaledOffset);

    /// <summary>Marks the lane as completed by <paramref name="stamp"/>, with an optional error for the readers.</summary>
    /// <remarks>The lane's last producer may have left an error, too. Until the new one is whole the lane counts as not completed, so
    /// that nobody reads half of each.</remarks>
    public void Complete(ulong stamp, Exception? error)
    {
        Atomics.Release(ref Completion, 0);
        Atomics.WriteBarrier(); // SYNC: completion withdrawn before its error changes
        if (error is not null)
        {
            WriteText(LaneLayout.ErrorTypeOffset, LaneLayout.ErrorTypeBytes, error.GetType().FullName ?? error.GetType().Name);
            WriteText(LaneLayout.ErrorMessageOffset, LaneLayout.ErrorMessageBytes, error.Message);
        }

        Atomics.Store(ref _block.UInt32(LaneLayout.FaultOffset), error is null ? 0u : 1u);
        Atomics.Release(ref Completion, stamp); // SYNC: completion and its error visible to readers
    }

    /// <summary>The error that a completed lane carries, or null.</summary>
    public ShmRemoteException? ReadError()
    {
        ulong stamp = Atomics.Acquire(ref Completion); // SYNC: completion and its error visible to readers
        if (stamp == 0 || _block.UInt32(LaneLayout.FaultOffset) == 0)
        {
            return null;
        }

        ShmRemoteException error = new(
            ReadText(LaneLayout.ErrorTypeOffset, LaneLayout.ErrorTypeBytes),
            ReadText(LaneLayout.ErrorMessageOffset, LaneLayout.ErrorMessageBytes));
        Atomics.ReadBarrier(); // SYNC: completion withdrawn before its error changes
        return Atomics.Acquire(ref Completion) == stamp ? error : null; // the next producer completes: its error is read next time
    }

    private void WriteText(int offset, int fieldBytes, string text)
    {
        Span<byte> field = _block.Bytes(offset, fieldBytes);
        CrashPoint.BeforeStore(field);
        Encoding.UTF8.GetEncoder().Convert(text, field[1..], flush: true, out _, out int used, out _);
        CrashPoint.BeforeStore(field);
        field[0] = (byte)used;
    }

    private string ReadText(int offset, int fieldBytes)
    {
        Span<byte> field = stackalloc byte[LaneLayout.ErrorMessageBytes];
        field = field[..fieldBytes];
        _block.Bytes(offset, fieldBytes).CopyTo(field); // decoding looks twice, and a peer may write in between
        int used = Math.Min((int)field[0], fieldBytes - 1);
        return Encoding.UTF8.GetString(field.Slice(1, used));
    }
}
