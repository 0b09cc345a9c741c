// How a series looks: ours solid and filled, what it is held against dashed and open. The colours are those of Okabe and Ito, and some of
// Paul Tol's, which are told apart by the colour-blind, too; markers differ as well, for who prints in grey.

using ScottPlot;
using ScottPlot.Plottables;

namespace ShmIpc.Benchmarks.Reports.Plots;

internal sealed record SeriesStyle(Color Color, MarkerShape Marker, LinePattern Line, float Width)
{
    private static readonly string[] _ours = ["#0072B2", "#009E73", "#56B4E9", "#332288", "#44AA99"];

    private static readonly string[] _others = ["#D55E00", "#CC79A7", "#E69F00", "#555555", "#882255", "#999933", "#000000"];

    private static readonly MarkerShape[] _filled =
    [
        MarkerShape.FilledCircle, MarkerShape.FilledSquare, MarkerShape.FilledDiamond, MarkerShape.FilledTriangleUp,
        MarkerShape.FilledTriangleDown,
    ];

    private static readonly MarkerShape[] _open =
        [MarkerShape.OpenSquare, MarkerShape.OpenCircle, MarkerShape.OpenDiamond, MarkerShape.OpenTriangleUp, MarkerShape.OpenTriangleDown];

    /// <summary>The styles of some series, by their names and in their order.</summary>
    public static IReadOnlyDictionary<string, SeriesStyle> Assign(IReadOnlyCollection<string> names)
    {
        Dictionary<string, SeriesStyle> styles = [];
        int ours = 0, others = 0;
        bool areAllOurs = !names.Any(IsOurs); // told apart by something else than who they are
        foreach (string name in names)
        {
            styles[name] = areAllOurs || IsOurs(name)
                ? new(Color.FromHex(_ours[ours % _ours.Length]), _filled[ours++ % _filled.Length], LinePattern.Solid, 2.2f)
                : new(Color.FromHex(_others[others % _others.Length]), _open[others++ % _open.Length], LinePattern.Dashed, 1.6f);
        }

        return styles;
    }

    private static bool IsOurs(string name) => name.StartsWith("ShmIpc", StringComparison.Ordinal);

    public void ApplyTo(Scatter scatter, bool withMarkers)
    {
        scatter.Color = Color;
        scatter.LineWidth = Width;
        scatter.LinePattern = Line;
        scatter.MarkerShape = withMarkers ? Marker : MarkerShape.None;
        scatter.MarkerSize = withMarkers ? 8 : 0;
        scatter.MarkerLineColor = Color;
        scatter.MarkerLineWidth = 1.6f;
    }
}
