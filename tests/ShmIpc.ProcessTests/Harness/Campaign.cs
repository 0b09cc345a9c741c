// What a randomised campaign starts from: a seed, printed, that SHMIPC_SEED repeats; and how many rounds, more with SHMIPC_LONG=1.

using System.Globalization;

namespace ShmIpc.ProcessTests.Harness;

internal sealed class Campaign
{
    private const int LongFactor = 10;

    public Campaign(ITestOutputHelper output)
    {
        string? given = Environment.GetEnvironmentVariable("SHMIPC_SEED");
        Seed = int.TryParse(given, CultureInfo.InvariantCulture, out int seed) ? seed : Random.Shared.Next();
        Random = new Random(Seed);
        output.WriteLine($"SHMIPC_SEED={Seed}");
    }

    /// <summary>True for the long campaigns.</summary>
    public static bool IsLong { get; } = Environment.GetEnvironmentVariable("SHMIPC_LONG") == "1";

    public int Seed { get; }

    public Random Random { get; }

    public static int Rounds(int rounds) => IsLong ? rounds * LongFactor : rounds;

    /// <summary>A random instant up to <paramref name="most"/>; a third of them early, while the child attaches.</summary>
    public TimeSpan Instant(TimeSpan most) => most * (Random.Next(3) == 0 ? Random.NextDouble() / 10 : Random.NextDouble());
}
