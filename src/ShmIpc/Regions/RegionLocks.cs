// Which byte of a region file stands for what, as open-file-description (OFD) locks. Locks may lie far behind the end of a file, so
// they never touch its content; the kernel drops them when the last descriptor of the description closes, which no death prevents.
//
//   2^62 - 4   groups: exclusive while somebody makes or deletes a named group
//   2^62 - 3   recovery: exclusive while somebody brings the region in order after a restart of the machine
//   2^62 - 2   lifecycle: shared while somebody attaches, exclusive while somebody deletes
//   2^62 - 1   attached: shared for as long as somebody is attached
//   2^62 + epoch * 256 + slot   the participant of that stamp is alive; never used for two participants

namespace ShmIpc.Regions;

internal static class RegionLocks
{
    public const long Groups = (1L << 62) - 4;
    public const long Recovery = (1L << 62) - 3;
    public const long Lifecycle = (1L << 62) - 2;
    public const long Attached = (1L << 62) - 1;
    private const long Participants = 1L << 62;

    public static long Participant(Stamp stamp) => Participants + (long)stamp.Value;
}
