using System.Globalization;

namespace ShmIpc.InstructionCounts;

/// <summary>Compares what valgrind has counted with the recorded figures, or records it.</summary>
internal static class Comparison
{
    private const double Tolerance = 0.15;
    private const long LeastTolerance = 4;
    private const string Cure = "tests/ShmIpc.InstructionCounts/check.sh --record";

    private static readonly string _header = $"""
        # Instructions a message, in native code for x64, counted by callgrind. Written by {Cure}, not by hand;
        # compared by check.sh, which fails at {Tolerance:P0} (and {LeastTolerance} instructions) more.

        """;

    /// <summary>Prints every figure beside the recorded one. 0 when none is too high.</summary>
    public static int Compare(string profiles, string recorded)
    {
        Dictionary<string, long> before = ReadRecorded(recorded);
        int failures = 0;
        bool isMuchBetter = false;
        foreach ((string name, long counted) in ReadProfiles(profiles))
        {
            if (!before.Remove(name, out long expected))
            {
                Console.WriteLine($"  {counted,6}       - {name}: not recorded");
                failures++;
                continue;
            }

            bool isWorse = counted > expected + Math.Max(expected * Tolerance, LeastTolerance);
            bool isBetter = counted < expected * (1 - Tolerance);
            Console.WriteLine($"  {counted,6} {expected,7} {name}{(isWorse ? ": TOO MANY" : isBetter ? ": better" : "")}");
            failures += isWorse ? 1 : 0;
            isMuchBetter |= isBetter;
        }

        foreach (string name in before.Keys)
        {
            Console.WriteLine($"       - {before[name],7} {name}: recorded, and not counted any more");
            failures++;
        }

        if (failures > 0)
        {
            Console.WriteLine($"instruction counts: {failures} beyond the bound. Where that is meant to be, record them: {Cure}");
        }
        else if (isMuchBetter)
        {
            Console.WriteLine($"instruction counts: some have fallen by more than {Tolerance:P0}. Record them, so that they stay: {Cure}");
        }

        return failures > 0 ? 1 : 0;
    }

    /// <summary>Writes what was counted down as what is expected from now on.</summary>
    public static int Record(string profiles, string recorded)
    {
        string[] lines = [.. ReadProfiles(profiles).Select(figure => $"{figure.Counted,6} {figure.Name}")];
        File.WriteAllText(recorded, $"{_header}{string.Join('\n', lines)}\n");
        Console.WriteLine(string.Join('\n', lines));
        return 0;
    }

    private static Dictionary<string, long> ReadRecorded(string path)
    {
        IEnumerable<string> lines = File.Exists(path) ? File.ReadLines(path) : [];
        return lines.Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#').ToDictionary(
            line => line[(line.IndexOf(' ') + 1)..],
            line => long.Parse(line[..line.IndexOf(' ')], CultureInfo.InvariantCulture));
    }

    /// <summary>Profile N is that of the Nth line of the file <c>names</c>, which measuring has written.</summary>
    private static IEnumerable<(string Name, long Counted)> ReadProfiles(string directory)
    {
        int number = 0;
        foreach (string name in File.ReadLines(Path.Combine(directory, "names")))
        {
            string profile = Path.Combine(directory, $"out.{++number}");
            string total = File.ReadLines(profile).Last(line => line.StartsWith("totals:", StringComparison.Ordinal));
            long instructions = long.Parse(total["totals:".Length..], CultureInfo.InvariantCulture);
            yield return (name, (instructions + (Scenario.Messages / 2)) / Scenario.Messages);
        }
    }
}
