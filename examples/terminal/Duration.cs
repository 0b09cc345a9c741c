// Durations as people type them: 500ms, 1.5s, 2m, 1h, or a bare number of seconds.
using System.Globalization;

namespace ShmIpc.Examples.Terminal;

/// <summary>Reads durations such as <c>500ms</c>, <c>2s</c> or <c>1.5m</c>.</summary>
public static class Duration
{
    private static readonly (string Suffix, double Seconds)[] _units = [("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600), ("", 1)];

    /// <summary>The longest duration taken: longer ones than this are typing errors.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(20);

    /// <summary>Reads a duration; false when <paramref name="text"/> is none, or is negative, zero or longer than
    /// <see cref="Longest"/>.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        foreach ((string suffix, double seconds) in _units)
        {
            if (!text.EndsWith(suffix, StringComparison.OrdinalIgnoreCase))
                continue;
            ReadOnlySpan<char> digits = text.AsSpan(0, text.Length - suffix.Length);
            if (!double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number))
                return false;
            double total = number * seconds;
            if (!(total >= 0.001) || total > Longest.TotalSeconds)
                return false;
            duration = TimeSpan.FromSeconds(total);
            return true;
        }
        return false;
    }
}
