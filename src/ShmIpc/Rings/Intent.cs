// What a member of a shared group is working on: one word in its participant's slot, written before the record is won and cleared when
// it is acknowledged. As long as it stands, the producer leaves the record alone (LaneWriter.cs), and after a death the survivors find
// the record by it.
//
//   bit  63                                         8 7        5 4      0
//       +--------------------------------------------+----------+--------+
//       | position / 8 + 1                           |deliveries| lane   |      0 = none
//       +--------------------------------------------+----------+--------+

namespace ShmIpc.Rings;

internal readonly record struct Intent(ulong Word)
{
    public const int MaxDeliveries = 7;
    private const int LaneMask = 31;
    private const int DeliveriesShift = 5;
    private const int PositionShift = 8;

    public Intent(int lane, int deliveries, long position)
        : this(((((ulong)position / RecordHeader.AlignmentBytes) + 1) << PositionShift)
            | ((ulong)Math.Min(deliveries, MaxDeliveries) << DeliveriesShift) | (uint)lane)
    {
    }

    /// <summary>False for 0, and for words that no member writes.</summary>
    public bool IsSet => Word >> PositionShift != 0;

    public int Lane => (int)(Word & LaneMask);

    /// <summary>How often the record was handed out, this time included; stays at 7.</summary>
    public int Deliveries => (int)(Word >> DeliveriesShift) & MaxDeliveries;

    public long Position => (long)((Word >> PositionShift) - 1) * RecordHeader.AlignmentBytes;

    public Intent Redelivered() => new(Lane, Deliveries + 1, Position);
}
