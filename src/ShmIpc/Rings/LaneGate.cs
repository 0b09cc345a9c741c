// What holds a lane's producer back: the cursors of the groups that gate it, and the records that members of shared groups hold. A view
// on pieces of memory that the channel laid out; it knows no group's name, kind or owner.
//
//   version   raised (Increment, then a full fence) by whoever joins, leaves, recovers or evicts
//   active    one bit a group: its cursors gate
//   cursors   [group] u64 position of this lane, CursorStrideBytes apart, each written by that group's active consumer only (CAS by the
//             members of a shared group)
//   claims    what members of shared groups hold (ClaimTable.cs); a producer reads them after the cursors

using System.Numerics;
using ShmIpc.Memory;

namespace ShmIpc.Rings;

internal readonly struct LaneGate(
    MappedSpan version, MappedSpan active, MappedSpan cursors, ClaimTable claims = default, int lane = 0)
{
    public const int CursorStrideBytes = 64;

    // Behind the cursor, for named exclusive groups; written by the active member.
    public const int HandedOffset = 8;            // end of the last record that was handed out
    public const int FailoversOffset = 16;        // how often a member began where the one before had not acknowledged
    public const int FailoverPositionOffset = 24; // and at which position the last time
    private readonly MappedSpan _version = version;
    private readonly MappedSpan _active = active;
    private readonly MappedSpan _cursors = cursors;
    private readonly ClaimTable _claims = claims;
    private readonly int _lane = lane;

    public ref ulong Version => ref _version.UInt64(0);

    public ref ulong Active => ref _active.UInt64(0);

    public ref ulong Cursor(int group) => ref _cursors.UInt64((long)group * CursorStrideBytes);

    /// <summary>One bit for each group that has a cursor here; a peer may have set others in <see cref="Active"/>.</summary>
    public ulong Existing => ulong.MaxValue >> (int)(64 - Math.Min(64, _cursors.LengthBytes / CursorStrideBytes));

    /// <summary>The groups among <paramref name="groups"/> whose cursor stands below <paramref name="position"/>.</summary>
    public ulong GroupsBelow(ulong groups, long position)
    {
        ulong below = 0;
        for (ulong rest = groups; rest != 0; rest &= rest - 1)
        {
            int group = BitOperations.TrailingZeroCount(rest);
            if ((long)Atomics.Acquire(ref Cursor(group)) < position)
            {
                below |= 1UL << group;
            }
        }

        return below;
    }

    /// <summary>The lowest position that a member of one of <paramref name="groups"/> holds in this lane, from
    /// <paramref name="intact"/> up to <paramref name="lowest"/>; what was overwritten, or stands at no record, holds nothing.</summary>
    /// <remarks>Call it behind the loads of the cursors: a member stores its intent before it moves the cursor on.</remarks>
    public long LowestClaim(ulong groups, long intact, long lowest, Func<long, bool> isRecordAt)
    {
        foreach (int slot in _claims)
        {
            int group = _claims.Group(slot);
            if (group < 0 || (groups >> group & 1) == 0)
            {
                continue;
            }

            for (int number = 0; number < ClaimTable.MaxIntents; number++)
            {
                Intent intent = new(Atomics.Acquire(ref _claims.Intent(slot, number))); // SYNC: intent visible to producer
                if (intent.IsSet && intent.Lane == _lane && intent.Position >= intact && intent.Position < lowest
                    && isRecordAt(intent.Position))
                {
                    lowest = intent.Position;
                }
            }
        }

        return lowest;
    }
}
