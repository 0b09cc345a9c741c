namespace ShmIpc.Benchmarks.Pairs;

/// <summary>How many messages a batch has, here and in <c>lane.c</c>.</summary>
internal static class BatchLength
{
    private const int Most = 64;
    private const int MostBytes = 16 << 10;

    /// <summary>64, or fewer where these would have more than 16 KiB: a larger batch keeps its reader waiting.</summary>
    public static int Of(ChildSettings settings) => Math.Clamp(MostBytes / settings.PayloadBytes, 1, Most);
}
