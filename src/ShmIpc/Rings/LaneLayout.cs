// Where everything in a lane's control block stands. No other file knows an offset. The block is 1024 bytes a lane; each part that
// one process writes while another reads it has 128 bytes of its own (two cache lines: adjacent-line prefetch pairs them).
//
//      0 +-----------------------------------------------+
//        | owner      u64 stamp, 0 = nobody              |  written by CAS when a lane is taken, plain when it is given back
//    128 +-----------------------------------------------+
//        | committed  PositionCell (40 bytes)            |  written by the lane's producer; at most CommittedInterval messages behind
//    256 +-----------------------------------------------+
//        | floor      PositionCell (40 bytes)            |  written by the lane's producer
//    384 +-----------------------------------------------+
//        | flags      u64, reserved, 0                   |
//    392 | dropped    u64 messages, by DropWrite         |  written by the lane's producer; goes on across producers
//    400 | zero                                          |
//    512 +-----------------------------------------------+
//        | completion u64 stamp of the completed owner   |
//    520 | fault      u32: 0 none, 1 the error below     |
//    524 | zero       u32                                |
//    528 | error type    u8 length + 63 bytes UTF-8      |
//    592 | error message u8 length + 183 bytes UTF-8     |
//    776 | journaled  u64, 1 once somebody asked to      |  then floors are durable before they take effect, whatever the
//        |            flush this lane                    |  channel's mode
//    784 | zero                                          |
//   1024 +-----------------------------------------------+
//
// Lane data is a ring of a power of two of bytes, a multiple of the page size, mapped twice in a row so that a record that wraps is
// contiguous. Positions are 64-bit, monotonic, multiples of 8; index = position & (capacity - 1).

namespace ShmIpc.Rings;

internal static class LaneLayout
{
    public const int ControlBytes = 1024;
    public const int OwnerOffset = 0;
    public const int CommittedOffset = 128;
    public const int FloorOffset = 256;
    public const int FlagsOffset = 384;
    public const int DroppedOffset = 392;
    public const int CompletionOffset = 512;
    public const int FaultOffset = 520;
    public const int ErrorTypeOffset = 528;
    public const int ErrorTypeBytes = 64;
    public const int ErrorMessageOffset = 592;
    public const int ErrorMessageBytes = 184;
    public const int JournaledOffset = 776;

    public const int MaxLanes = 32;
    public const long MinCapacityBytes = 4096;
    public const long MaxCapacityBytes = 512L * 1024 * 1024;

    /// <summary>The producer refreshes <c>committed</c> once in this many messages; whoever needs the exact end scans on from
    /// there.</summary>
    public const int CommittedInterval = 64;

    /// <summary>Largest payload plus extensions, so that one record held by a reader and one being written always fit together.</summary>
    public static long MaxPayloadBytes(long capacityBytes) => (capacityBytes / 2) - 16;
}
