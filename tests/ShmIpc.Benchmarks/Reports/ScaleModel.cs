// A model of how throughput and latency grow, from one fact about the machine: how long a cache line takes to change hands. Everything
// else here is counted from the code, not measured; docs/benchmarks.md says where each count comes from and what the model leaves out.
//
//   R  bytes of a record: the header's 8 and the payload, padded to a multiple of 8 (src/ShmIpc/Rings/RecordHeader.cs)
//   t  nanoseconds in which a line changes hands: taken from the core that polls it, written, and fetched by that core again. Half a round
//      trip of one line in C
//   B  bytes a second that one core copies
//   c  nanoseconds that publishing or reading a message takes by itself: instructions, whatever the lines do

namespace ShmIpc.Benchmarks.Reports;

/// <param name="LineNs">t.</param>
internal sealed record ScaleModel(double LineNs)
{
    public const int LineBytes = 64;

    private const int HeaderBytes = 8;

    /// <summary>A record's header is read by polling: the line with it, then the lines of the payload behind it.</summary>
    public static long RecordBytes(long payloadBytes) => (HeaderBytes + payloadBytes + 7) & ~7L;

    /// <summary>Lines that change hands a message when the reader waits for each <paramref name="batch"/> messages: records start at
    /// any multiple of 8, so n bytes touch 1 + (n - 8) / 64 lines on the average.</summary>
    public static double LinesWhenWaitedFor(long payloadBytes, int batch = 1) =>
        (1 + (((batch * RecordBytes(payloadBytes)) - HeaderBytes) / (double)LineBytes)) / batch;

    /// <summary>Lines that change hands a message in a stream, the reader far enough behind that it takes each line once.</summary>
    public static double LinesInStream(long payloadBytes) => RecordBytes(payloadBytes) / (double)LineBytes;

    /// <summary>There and back, both sides spinning, when the lines of a message come one after another: the most that is to be
    /// expected.</summary>
    public double RoundTripNs(long payloadBytes) => 2 * LinesWhenWaitedFor(payloadBytes) * LineNs;

    /// <summary>The same when the lines of a message come at the same time, as far as the processor reads ahead: the least.</summary>
    public double LeastRoundTripNs => 2 * LineNs;

    /// <summary>There and back, both sides asleep: what the kernel takes (with as many bytes), and three lines more for each wake-up: the
    /// sleepers' bits are read, and cleared, and the sleeper's doorbell is raised.</summary>
    public double ParkedRoundTripNs(double futexNs) => futexNs + (2 * 3 * LineNs);

    /// <summary>Messages a second in a stream when each line is waited for, one after another: the least that is to be expected.</summary>
    public double SlowestRate(long payloadBytes, double messageNs) => 1e9 / (messageNs + (LinesInStream(payloadBytes) * LineNs));

    /// <summary>Messages a second in a stream when the lines arrive as fast as a core copies: the most that is to be expected.</summary>
    public static double FastestRate(long payloadBytes, double messageNs, double copyBytesPerSecond) =>
        1e9 / (messageNs + (payloadBytes / copyBytesPerSecond * 1e9));

    /// <summary>Messages a second with the reader at the writer's heels: it polls the very line that is being written, and gets each batch
    /// by itself.</summary>
    public double RateAtTheHeels(long payloadBytes, int batch = 1) => 1e9 / (LinesWhenWaitedFor(payloadBytes, batch) * LineNs);

    /// <summary>Messages a second of one producer with some groups, each of which reads everything. The lines go to all readers at the
    /// same time, so with a core for each nothing changes; with fewer they share.</summary>
    public static double FanOutRate(double rateOfOne, int groups, int readerCores) => rateOfOne * Math.Min(1, readerCores / (double)groups);

    /// <summary>Messages a second, in all, of some producers to one reader: lanes have no line in common, and the reader, which takes as
    /// long for a message whatever its lane, is the limit.</summary>
    public static double LanesRate(double rateOfOne) => rateOfOne;

    /// <summary>Messages a second that several members of a shared group take in all, at most: between two messages the line with the
    /// group's cursor goes from one to another.</summary>
    public double SharedGroupRate => 1e9 / LineNs;
}
