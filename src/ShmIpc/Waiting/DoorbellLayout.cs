// Where the words stand on which participants sleep. No other file knows an offset.
//
//      0 +---------------------------------------------------------------+
//        | parked readers  4 x u64: bit s = participant s sleeps until   |
//        |                 something is published                        |
//    128 +---------------------------------------------------------------+
//        | parked writers  4 x u64: bit s = participant s sleeps until   |
//        |                 a cursor moves                                |
//    256 +---------------------------------------------------------------+
//        | doorbells       256 x 64 bytes: u32 futex word, 60 zero bytes |
//  16640 +---------------------------------------------------------------+

namespace ShmIpc.Waiting;

internal static class DoorbellLayout
{
    public const int MaxParticipants = 256;
    public const int ParkedWords = MaxParticipants / 64;
    public const int ParkedReadersOffset = 0;
    public const int ParkedWritersOffset = 128;
    public const int DoorbellsOffset = 256;
    public const int DoorbellStrideBytes = 64;
    public const int SectionBytes = DoorbellsOffset + (MaxParticipants * DoorbellStrideBytes);
}
