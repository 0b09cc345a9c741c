// The scenarios of more than two participants, and those of costs other than speed.

namespace ShmIpc.Benchmarks.Scenarios;

internal static class TopologyScenarios
{
    /// <summary>Repetitions of each point of a curve.</summary>
    public const int OfCurve = 5;

    private static readonly int[] _lanesAndMembers = [1, 2, 3, 4];
    private static readonly int[] _groups = [1, 2, 4, 8];
    private static readonly int[] _capacitiesKib = [64, 256, 1024, 4 * 1024, 16 * 1024, 64 * 1024];
    private static readonly int[] _diskPayloads = [64, 1016];

    public static IReadOnlyList<Scenario> All { get; } =
    [
        .. _lanesAndMembers.Select(producers => new LaneScaling(producers)),
        .. _groups.Select(groups => new GroupScaling(groups)),
        .. _groups.Select(groups => new PublishingCost(groups, areAsleep: false)),
        new PublishingCost(8, areAsleep: true),
        .. _lanesAndMembers.Select(members => new MemberScaling(members)),
        .. _capacitiesKib.Select(capacity => new CapacityScaling(capacity * 1024L)),
        .. _diskPayloads.Select(size => new DiskFlush(size)),
        new HugePages(),
        new AttachTime(),
        new IdleCost(),
        new PrivateMemory(),
        new RecoveryTime(),
    ];
}
