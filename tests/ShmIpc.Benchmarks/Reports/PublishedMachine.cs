namespace ShmIpc.Benchmarks.Reports;

/// <summary>How long a cache line takes to change hands on other machines, as published: "Measuring CPU core-to-core latency" (the
/// repository core-to-core-latency of nviennot on GitHub), the median time of half a round trip of one flag that two pinned threads set by
/// compare-and-exchange. That is what half a round trip of our own one-line ping-pong measures, too.</summary>
/// <param name="Name">The processor.</param>
/// <param name="Place">Where its two cores are.</param>
/// <param name="LineNs">The published figure.</param>
internal sealed record PublishedMachine(string Name, string Place, double LineNs)
{
    public static readonly PublishedMachine[] All =
    [
        new("AMD EPYC 7R13 (Milan, 48 cores)", "one core complex, one L3", 23),
        new("AMD EPYC 7R13 (Milan, 48 cores)", "two core complexes, one socket", 107),
        new("AMD EPYC 7R13 (Milan, 48 cores)", "two sockets", 197),
        new("Intel Xeon Platinum 8375C (Ice Lake, 32 cores)", "one socket", 51),
        new("Intel Xeon Platinum 8375C (Ice Lake, 32 cores)", "two sockets", 108),
        new("Intel Xeon Platinum 8275CL (Cascade Lake, 24 cores)", "one socket", 47),
        new("Intel Xeon Platinum 8275CL (Cascade Lake, 24 cores)", "two sockets", 134),
        new("AWS Graviton3 (64 cores)", "one socket", 46),
    ];
}
