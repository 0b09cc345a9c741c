// What a lane that must survive a power cut asks for, at the two instants at which memory alone is not enough. LaneWriter calls it on
// its slow path only, and knows nothing of files.

namespace ShmIpc.Rings;

internal interface ILaneJournal
{
    /// <summary>The floor was stored. Returns when it is durable: only then may the records below it be overwritten, or a power cut
    /// would leave the old floor, and behind it records that are no longer there.</summary>
    void FloorStored();

    /// <summary>Records that nobody was ever to see were taken out of the lane. Returns when that is durable: the next ones may be written
    /// in front of their places, and they must not come back behind these.</summary>
    void TailCleared();
}
