// The percentiles at which a distribution of latencies is taken down: 8 of each decade of the part that is slower, so that the tail has
// as many points as the middle. bench.h walks the same ones.

using HdrHistogram;

namespace ShmIpc.Benchmarks.Measuring;

internal static class LatencyCurve
{
    private const int PointsPerDecade = 8;

    private const int Decades = 6; // up to 99.9999

    /// <summary>Up to the percentile that the number of samples still supports.</summary>
    public static IReadOnlyList<LatencyPoint> Of(LongHistogram histogram)
    {
        List<LatencyPoint> points = [];
        for (int i = 0; i <= PointsPerDecade * Decades; i++)
        {
            double slower = Math.Pow(10, -i / (double)PointsPerDecade);
            if (slower * histogram.TotalCount < 1)
            {
                break;
            }

            double percentile = 100 * (1 - slower);
            points.Add(new LatencyPoint(percentile, histogram.GetValueAtPercentile(percentile)));
        }

        return points;
    }
}
