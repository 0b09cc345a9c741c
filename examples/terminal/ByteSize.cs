// Sizes as people type and read them: 64K, 16M, 1G in powers of 1024.
using System.Globalization;

namespace ShmIpc.Examples.Terminal;

/// <summary>Reads and writes numbers of bytes.</summary>
public static class ByteSize
{
    private static readonly string[] _units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

    /// <summary>Reads a size such as <c>65536</c>, <c>64K</c>, <c>64KiB</c> or <c>1M</c>; false when <paramref name="text"/> is
    /// none.</summary>
    public static bool TryParse(string text, out long bytes)
    {
        bytes = 0;
        int digits = text.AsSpan().IndexOfAnyExceptInRange('0', '9');
        ReadOnlySpan<char> unit = digits < 0 ? "" : text.AsSpan(digits).Trim();
        int shift = unit.ToString().ToUpperInvariant() switch
        {
            "" or "B" => 0,
            "K" or "KB" or "KIB" => 10,
            "M" or "MB" or "MIB" => 20,
            "G" or "GB" or "GIB" => 30,
            _ => -1,
        };
        ReadOnlySpan<char> digitText = digits < 0 ? text : text.AsSpan(0, digits);
        if (shift < 0 || !long.TryParse(digitText, NumberStyles.None, CultureInfo.InvariantCulture, out long number))
            return false;
        if (number > long.MaxValue >> shift)
            return false;
        bytes = number << shift;
        return true;
    }

    /// <summary>Writes a size with three digits and a unit, such as <c>1.50 MiB</c>.</summary>
    public static string Format(double bytes)
    {
        int unit = 0;
        for (; Math.Abs(bytes) >= 1000 && unit < _units.Length - 1; unit++)
            bytes /= 1024;
        string digits = unit == 0 || Math.Abs(bytes) >= 100 ? "0" : Math.Abs(bytes) >= 10 ? "0.0" : "0.00";
        return bytes.ToString(digits, CultureInfo.InvariantCulture) + " " + _units[unit];
    }
}
