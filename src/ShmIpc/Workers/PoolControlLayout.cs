// The words that a pool and its workers share beside the two channels. No other file knows an offset.
//
//      0 +-----------------------------------------------------------------------+
//        | place of a worker, 32 times 256 bytes                                 |
//        |     0  bell     u32  raised, and its sleeper woken, by the pool       |
//        |     8  stop     u64  not 0: take no further job, and end              |
//        |   128  current  u64  the job that is being worked on, 0 = none;       |  written by the worker
//        |                      bit 63: about to take one, for the n. time       |
//        |   136  exit     u64  exit code + 2^32, 0 = it has not ended by itself |  written by the worker
//   8192 +-----------------------------------------------------------------------+
//        | job table, 4096 times u64: the number of the job that is under way in |
//        | that slot, 0 = none. Whoever finds another number than that of the    |
//        | job in its hand knows that nobody waits for it any more.              |
//  40960 +-----------------------------------------------------------------------+
//
// A job's number is sequence:52 | slot:12, the sequence from 1, never used twice.

namespace ShmIpc.Workers;

internal static class PoolControlLayout
{
    public const int PlaceBytes = 256;
    public const int BellOffset = 0;
    public const int StopOffset = 8;
    public const int CurrentOffset = 128;
    public const int ExitOffset = 136;
    public const ulong HasExited = 1UL << 32;
    public const ulong Taking = 1UL << 63;
    public const int JobsOffset = WorkerPoolOptions.MaxWorkers * PlaceBytes;
    public const int SlotBits = 12;
    public const int TotalBytes = JobsOffset + (WorkerPoolOptions.MostJobsInFlight * sizeof(ulong));

    public static int PlaceAt(int worker) => worker * PlaceBytes;

    /// <summary>True for a word at <see cref="CurrentOffset"/> that names a job.</summary>
    public static bool IsJob(ulong current) => current is not 0 and < Taking;

    public static int SlotOf(ulong job) => (int)(job & ((1 << SlotBits) - 1));

    public static ulong JobNumber(ulong sequence, int slot) => (sequence << SlotBits) | (uint)slot;

    public static int JobAt(int slot) => JobsOffset + (slot * sizeof(ulong));
}
