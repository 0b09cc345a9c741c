// One plot: it draws itself, and says to which scenarios it belongs. All look alike: the frame is made here.

using ScottPlot;
using ScottPlot.AxisPanels;
using ScottPlot.Panels;
using ShmIpc.Benchmarks.Scenarios;

namespace ShmIpc.Benchmarks.Reports.Plots;

/// <param name="name">Its file name, without an ending.</param>
/// <param name="title">What it shows.</param>
/// <param name="machine">Where that was measured.</param>
/// <param name="scenarios">The scenarios it is made of.</param>
internal abstract class Figure(string name, string title, string machine, IReadOnlyList<Scenario> scenarios)
{
    private const int WidthPixels = 1120;
    private const int HeightPixels = 540;
    private static readonly Color _ink = Color.FromHex("#222222");
    private static readonly Color _pale = Color.FromHex("#666666");

    public string Name { get; } = name;

    public string Title { get; } = title;

    public IReadOnlyList<Scenario> Scenarios { get; } = scenarios;

    /// <summary>What its lines, bars and bands stand for.</summary>
    protected abstract string Legend { get; }

    /// <summary>Writes NAME.svg and NAME.png.</summary>
    public void Save(string directory)
    {
        using Plot plot = new();
        plot.Font.Set(Fonts.Name);
        SetTitle(plot.Axes.Title, Title, 18, _ink);
        TitlePanel subtitle = new(); // stands between the title and the plot
        SetTitle(subtitle, $"{machine}. {Legend}.", 12, _pale);
        plot.Axes.AddPanel(subtitle);
        (AxisScale across, AxisScale up) = Draw(plot);
        SetAxis(plot.Axes.Bottom, across);
        SetAxis(plot.Axes.Left, up);
        plot.Axes.Left.MinimumSize = 100;
        plot.Axes.Left.Label.OffsetX = 10; // else it touches the edge of the picture
        plot.Axes.SetLimits(across.Low, across.High, up.Low, up.High);
        plot.Axes.Right.FrameLineStyle.Width = 0;
        plot.Axes.Top.FrameLineStyle.Width = 0;
        plot.Grid.MajorLineColor = Color.FromHex("#E2E2E2");
        plot.Grid.MinorLineColor = Color.FromHex("#F3F3F3");
        plot.Grid.MinorLineWidth = 1;
        plot.Legend.FontSize = 13;
        plot.Legend.FontName = Fonts.Name;
        plot.Legend.FontColor = _ink;
        plot.Legend.OutlineWidth = 0;
        plot.Legend.ShadowColor = Colors.Transparent;
        plot.Legend.BackgroundColor = Colors.White;
        plot.Legend.SymbolWidth = 34;
        plot.Legend.InterItemPadding = new PixelPadding(0, 0, 4, 4);
        plot.ShowLegend(Edge.Right).Alignment = Alignment.UpperLeft;
        string path = Path.Combine(directory, Name);
        plot.SaveSvg(path + ".svg", WidthPixels, HeightPixels);
        plot.SavePng(path + ".png", WidthPixels, HeightPixels);
    }

    /// <summary>Adds the series and names the axes.</summary>
    /// <returns>The horizontal and the vertical axis.</returns>
    protected abstract (AxisScale Across, AxisScale Up) Draw(Plot plot);

    private static void SetTitle(TitlePanel panel, string text, float size, Color color)
    {
        panel.Label.Text = text;
        panel.Label.FontName = Fonts.Name;
        panel.Label.FontSize = size;
        panel.Label.Bold = false;
        panel.Label.ForeColor = color;
    }

    private static void SetAxis(IAxis axis, AxisScale scale)
    {
        axis.TickGenerator = scale.Ticks;
        axis.TickLabelStyle.FontSize = 13;
        axis.TickLabelStyle.ForeColor = _ink;
        axis.FrameLineStyle.Color = _pale;
        axis.MajorTickStyle.Color = _pale;
        axis.MinorTickStyle.Color = _pale;
        if (axis is AxisBase panel)
        {
            panel.LabelFontSize = 14;
            panel.LabelBold = false;
            panel.LabelFontColor = _ink;
        }
    }
}
