// The font of all plots: the first sans serif font that is installed.

using SkiaSharp;

namespace ShmIpc.Benchmarks.Reports.Plots;

internal static class Fonts
{
    private static readonly string[] _preferred = ["Inter", "Noto Sans", "Liberation Sans", "DejaVu Sans"];

    private static readonly string[] _installed = [.. SKFontManager.Default.FontFamilies];

    /// <summary>False: text would be left out of every plot.</summary>
    public static bool IsAny => _installed.Length > 0;

    public static string Name { get; } = _preferred.FirstOrDefault(_installed.Contains)
        ?? _installed.FirstOrDefault(name => name.Contains("Sans", StringComparison.Ordinal))
        ?? _installed.FirstOrDefault()
        ?? "";
}
