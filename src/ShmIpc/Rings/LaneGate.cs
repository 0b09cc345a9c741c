// What holds a lane's producer back: the cursors of the groups that gate it. A view on four pieces of memory that the channel laid
// out; it knows no group's name, kind or owner.
//
//   version   raised (Increment, then a full fence) by whoever joins, leaves, recovers or evicts
//   active    one bit a group: its cursors gate
//   cursors   [group] u64 position of this lane, CursorStrideBytes apart, each written by that group's active consumer only

using System.Numerics;
using ShmIpc.Memory;

namespace ShmIpc.Rings;

internal readonly struct LaneGate(MappedSpan version, MappedSpan active, MappedSpan cursors)
{
    public const int CursorStrideBytes = 64;
    private readonly MappedSpan _version = version;
    private readonly MappedSpan _active = active;
    private readonly MappedSpan _cursors = cursors;

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
}
