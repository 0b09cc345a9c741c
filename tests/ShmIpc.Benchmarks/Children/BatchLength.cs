namespace ShmIpc.Benchmarks.Children;

/// <summary>How many messages a batch has, here and in <c>lane.c</c>.</summary>
internal static class BatchLength
{
    private const int Most = 64;

    /// <summary>64, or fewer where these would fill more than a quarter of the lane.</summary>
    public static int Of(ChildSettings settings) => (int)Math.Clamp(settings.LaneCapacityBytes / 4 / settings.PayloadBytes, 1, Most);
}
