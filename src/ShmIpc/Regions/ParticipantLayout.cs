// The participants table: one slot for each living producer or consumer. No other file knows an offset.
//
//      0 +---------------------------------------------+  256 bytes a slot
//        | epoch        u64   of the present holder    |  changed by CAS by whoever joins
//      8 | pid u32 | role u32                          |  for people; 1 producer, 2 consumer, 3 observer
//     16 | joined       u64   unix nanoseconds         |
//     24 | place        u64   its group + 1, 0 = none   |
//     32 | zero                                        |
//     64 | heir         u64   stamp of whoever recovers|  members of shared groups
//     72 | zero                                        |
//    128 | intents      8 x u64                        |  members of shared groups
//    192 | zero                                        |
//    256 +---------------------------------------------+

namespace ShmIpc.Regions;

internal static class ParticipantLayout
{
    public const int SlotBytes = 256;
    public const int MaxSlots = 256;
    public const int EpochOffset = 0;
    public const int ProcessIdOffset = 8;
    public const int RoleOffset = 12;
    public const int JoinedOffset = 16;
    public const int PlaceOffset = 24;
    public const int HeirOffset = 64;
    public const int IntentsOffset = 128;
    public const int MaxIntents = 8;
}
