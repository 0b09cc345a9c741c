// What huge pages are worth: the first touch of memory, and reading here and there in it, with each kind of pages. The kinds take turns, so
// that what else the machine does meets all of them, and the medians are compared.
using System.Diagnostics;
using ShmIpc.Examples.Terminal;
using ShmIpc.Memory;

namespace ShmIpc.Examples.Memory;

internal static class HugePageBenchmark
{
    private const int Reads = 4_000_000;
    private const int OrdinaryPageBytes = 4096; // one byte of each is touched, whatever the page is

    private static readonly (string Name, HugePages? Request)[] _kinds =
    [
        ("ordinary", null),
        ("transparent", HugePages.Try(HugePageSize.Transparent)),
        ("2 MiB of a pool", HugePages.Try(HugePageSize.TwoMebibytes)),
        ("1 GiB of a pool", HugePages.Try(HugePageSize.OneGibibyte)),
    ];

    public static void Run(long bytes, int rounds)
    {
        var lengthBytes = (int)Math.Min(bytes, 1 << 30); // what fits into a span
        var measured = _kinds.Select(_ => new List<Round>()).ToArray();
        for (var round = -1; round < rounds; round++) // the first one warms up
        {
            for (var kind = 0; kind < _kinds.Length; kind++)
            {
                var result = Measure(lengthBytes, _kinds[kind].Request);
                if (round >= 0) measured[kind].Add(result);
            }
        }

        Print(lengthBytes, rounds, measured);
    }

    private static Round Measure(int lengthBytes, HugePages? request)
    {
        // Pages of a pool are taken and cleared when they are mapped, ordinary ones when they are touched: both count as the touch.
        var started = Stopwatch.GetTimestamp();
        var options = new MemoryMappingOptions { Sharing = MappingSharing.Private, HugePages = request };
        using var mapping = MemoryMapping.MapAnonymous(lengthBytes, options);
        mapping.Write(static bytes =>
        {
            for (long at = 0; at < bytes.Length; at += OrdinaryPageBytes) bytes[(int)at] = 1;
        });
        var touch = Stopwatch.GetElapsedTime(started);

        started = Stopwatch.GetTimestamp();
        var last = mapping.Read(static bytes =>
        {
            var state = 88172645463325252UL; // each address follows from what was read at the one before, so that reads cannot overlap
            for (var i = 0; i < Reads; i++)
            {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state += bytes[(int)((state >> 32) * (ulong)bytes.Length >> 32)];
            }

            return state;
        });
        var access = Stopwatch.GetElapsedTime(started);
        GC.KeepAlive(last);
        return new Round(touch.TotalMilliseconds, access.TotalNanoseconds / Reads, mapping.ReadHugePages());
    }

    private static void Print(int lengthBytes, int rounds, List<Round>[] measured)
    {
        Console.WriteLine($"{ByteSize.Format(lengthBytes)} of private memory, medians of {rounds} rounds in turns;");
        Console.WriteLine("x: how many times as fast as ordinary pages.");
        Console.WriteLine();
        Console.WriteLine("| pages | in huge pages | first touch | x | random read | x |");
        Console.WriteLine("|---|---|---|---|---|---|");
        var (touch, access) = (Median(measured[0], round => round.TouchMs), Median(measured[0], round => round.ReadNs));
        for (var kind = 0; kind < _kinds.Length; kind++)
        {
            var grants = measured[kind].Select(round => round.Grant).ToArray();
            if (_kinds[kind].Request is { Size: not HugePageSize.Transparent } && !grants.All(grant => grant.IsGranted))
            {
                Console.WriteLine($"| {_kinds[kind].Name} | not granted | | | | |");
                continue;
            }

            var (t, a) = (Median(measured[kind], round => round.TouchMs), Median(measured[kind], round => round.ReadNs));
            var share = Median(measured[kind], round => 100.0 * Math.Min(lengthBytes, round.Grant.HugeBytes) / lengthBytes);
            Console.WriteLine($"| {_kinds[kind].Name} | {share:f0} % | {t:f1} ms | {touch / t:f2} | {a:f1} ns | {access / a:f2} |");
        }

        Console.WriteLine();
        foreach (var (name, round) in _kinds.Zip(measured, (kind, all) => (kind.Name, all[^1])))
        {
            if (round.Grant is { Reason: not null } grant) Console.WriteLine($"{name}: {grant.Reason} {grant.Cure}");
        }
    }

    private static double Median(List<Round> rounds, Func<Round, double> value)
    {
        var sorted = rounds.Select(value).Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private sealed record Round(double TouchMs, double ReadNs, HugePageGrant Grant);
}
