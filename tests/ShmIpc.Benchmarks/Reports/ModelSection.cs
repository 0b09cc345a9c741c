// What the scale model predicts, beside what this run measured; the columns say which is which.

using System.Globalization;
using System.Text.RegularExpressions;
using ShmIpc.Benchmarks.Contenders;
using ShmIpc.Benchmarks.Pairs;
using ShmIpc.Benchmarks.Scenarios;

namespace ShmIpc.Benchmarks.Reports;

internal static partial class ModelSection
{
    private const string None = "-";
    private const int PayloadBytes = 64;
    private const int BatchLength = 16;
    private const int LargestCopyBytes = 64 << 10; // what stays in a core's own caches

    public static void Write(TextWriter writer, Report report)
    {
        if (report.Find(RoundTripSpinning.SpinningName, RoundTripSpinning.OneLine, Metric.Typical) is not { } oneLine)
        {
            writer.WriteLine("The run did not measure how long a cache line takes to change hands (C ping-pong, one cache line).");
            return;
        }

        ScaleModel model = new(oneLine.Median / 2);
        (int Bytes, Spread Rate)[] oneWay = OneWayRates(report, OneWay.Plain);
        double? copyRate = OneWayRates(report, OneWay.Copies)
            .Where(copy => copy.Bytes <= LargestCopyBytes).Select(copy => (double?)(2 * copy.Bytes * copy.Rate.Median)).LastOrDefault();
        double? messageNs = oneWay.Length > 0 ? 1e9 / oneWay[0].Rate.Median : null;

        writer.WriteLine("Measured, and put in:");
        writer.WriteLine();
        MarkdownTable.Write(writer, ["input", "measured", "how"],
        [
            ["t, a line changes hands", Time(model.LineNs), "half a round trip of one line between two C processes"],
            ["c, a message by itself", messageNs is { } c ? Time(c) : None, "the time of one message, one way, of the smallest payload"],
            ["B, one core copies", copyRate is { } b ? $"{Number(b / 1e9)} GB/s" : None, "memcpy of payloads that stay in its caches"],
        ]);
        writer.WriteLine();
        WriteRoundTrips(writer, report, model);
        WriteOneWay(writer, report, model, oneWay, messageNs, copyRate);
        WriteScaling(writer, report);
        WriteElsewhere(writer, messageNs);
    }

    private static void WriteRoundTrips(TextWriter writer, Report report, ScaleModel model)
    {
        Spread? busySpin = report.Find(RoundTripSpinning.SpinningName, RoundTripSpinning.BusySpin, Metric.Typical);
        Spread? single = report.Find(RoundTripSpinning.SpinningName, RoundTripSpinning.SingleThreaded, Metric.Typical);
        Spread? lane = report.Find(RoundTripSpinning.SpinningName, RoundTripSpinning.Lane, Metric.Typical);
        Spread? twoLines = report.Find(RoundTripSpinning.SpinningName, RoundTripSpinning.TwoLines, Metric.Typical);
        Spread? futex = report.Find(RoundTripParked.ParkedName, RoundTripParked.Futex, Metric.P50);
        Spread? parked = report.Find(RoundTripParked.ParkedName, RoundTripParked.Park, Metric.P50);
        string lines = Number(2 * ScaleModel.LinesWhenWaitedFor(PayloadBytes));
        string spinning = $"{Time(model.LeastRoundTripNs)} .. {Time(model.RoundTripNs(PayloadBytes))}";
        MarkdownTable.Write(writer, ["round trip, 64 B", "lines", "predicted: overlapping .. one after another", "measured"],
        [
            ["C ping-pong, two cache lines", lines, spinning, Time(twoLines)],
            ["C lane", lines, spinning, Time(lane)],
            ["ShmIpc, BusySpin, single-threaded", lines, spinning, Time(single)],
            ["ShmIpc, BusySpin", lines, spinning, Time(busySpin)],
            [
                "ShmIpc, Park (p50)",
                $"{Number((2 * ScaleModel.LinesWhenWaitedFor(PayloadBytes)) + 6)}, and what the futex costs",
                futex is null ? None : Time(model.ParkedRoundTripNs(futex.Median)),
                Time(parked),
            ],
        ]);
        writer.WriteLine();
    }

    private static void WriteOneWay(
        TextWriter writer, Report report, ScaleModel model, (int Bytes, Spread Rate)[] oneWay, double? messageNs, double? copyRate)
    {
        if (messageNs is not { } c)
        {
            return;
        }

        Dictionary<int, Spread> lane = OneWayRates(report, OneWay.Lane).ToDictionary(p => p.Bytes, p => p.Rate);
        MarkdownTable.Write(
            writer,
            [
                "one way", "lines a message", "predicted: each line waited for", "predicted: lines as fast as a copy", "measured",
                "measured: C lane", "from the measured: a line",
            ],
            oneWay.Select((point, i) => new[]
            {
                Plots.TickText.Bytes(point.Bytes),
                Number(ScaleModel.LinesInStream(point.Bytes)),
                i == 0 ? "(gives c)" : Rate(model.SlowestRate(point.Bytes, c)),
                i == 0 ? "(gives c)" : copyRate is { } b ? Rate(ScaleModel.FastestRate(point.Bytes, c, b)) : None,
                Rate(point.Rate.Median),
                lane.TryGetValue(point.Bytes, out Spread? rate) ? Rate(rate.Median) : None,
                (1e9 / point.Rate.Median) - c is > 0 and { } lines ? Time(lines / ScaleModel.LinesInStream(point.Bytes)) : None,
            }));
        writer.WriteLine();
    }

    // Groups share the one core that the run leaves to readers; lanes share the one reader.
    private static void WriteScaling(TextWriter writer, Report report)
    {
        List<string[]> rows = [];
        foreach (IGrouping<string, ScenarioResult> plot in report.Results.Where(r => r.Scenario.Point is not null)
            .GroupBy(r => r.Scenario.Point!.Plot))
        {
            bool areGroups = plot.Key == "scaling-by-groups";
            if (!areGroups && plot.Key != "scaling-by-lanes")
            {
                continue;
            }

            Spread? one = null;
            foreach (ScenarioResult result in plot.OrderBy(r => r.Scenario.Point!.X))
            {
                PlotPoint point = result.Scenario.Point!;
                Contender subject = result.Scenario.Comparisons.Select(c => c.Subject).FirstOrDefault() ?? result.Scenario.Contenders[0];
                Spread? measured = result.Spread(subject, point.Metric);
                one ??= point.X == 1 ? measured : null;
                double? predicted = one is null ? null
                    : areGroups ? ScaleModel.FanOutRate(one.Median, (int)point.X, readerCores: 1) : ScaleModel.LanesRate(one.Median);
                rows.Add(
                [
                    $"{point.X} {(areGroups ? "group" : "lane")}{(point.X == 1 ? "" : "s")}, one {(areGroups ? "producer" : "reader")}",
                    point.X == 1 ? "(put in)" : predicted is { } p ? point.Metric.Format(p) : None,
                    measured is null ? None : point.Metric.Format(measured.Median),
                ]);
            }
        }

        if (rows.Count > 0)
        {
            MarkdownTable.Write(writer, ["messages a second, all producers together", "predicted", "measured"], rows);
            writer.WriteLine();
        }
    }

    private static void WriteElsewhere(TextWriter writer, double? messageNs)
    {
        writer.WriteLine("Predicted for other machines, from published figures; nothing in this table was measured here, but c:");
        writer.WriteLine();
        MarkdownTable.Write(
            writer,
            [
                "processor", "the two cores", "t, published", "round trip, 64 B", "one way, 64 B, each line waited for",
                $"at the writer's heels: single, batches of {BatchLength}", "shared group, at most",
            ],
            PublishedMachine.All.Select(machine =>
            {
                ScaleModel there = new(machine.LineNs);
                return new[]
                {
                    machine.Name,
                    machine.Place,
                    Time(machine.LineNs),
                    $"{Time(there.LeastRoundTripNs)} .. {Time(there.RoundTripNs(PayloadBytes))}",
                    messageNs is { } c ? Rate(there.SlowestRate(PayloadBytes, c)) : None,
                    $"{Rate(there.RateAtTheHeels(PayloadBytes))}, {Rate(there.RateAtTheHeels(PayloadBytes, BatchLength))}",
                    Rate(there.SharedGroupRate),
                };
            }));
    }

    // The rates of the plain one-way scenarios, by payload.
    private static (int Bytes, Spread Rate)[] OneWayRates(Report report, string name) =>
    [
        .. from result in report.Results
           let match = OneWayName().Match(result.Scenario.Name)
           where match.Success
           let contender = result.Scenario.Contenders.FirstOrDefault(c => c.Name == name)
           where contender is not null
           let rate = result.Spread(contender, Metric.Rate)
           where rate is not null
           let bytes = int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
           orderby bytes
           select (bytes, rate),
    ];

    private static string Time(Spread? spread) => spread is null ? None : Time(spread.Median);

    private static string Time(double nanoseconds) => Metric.Typical.Format(nanoseconds);

    private static string Rate(double perSecond) => Metric.Rate.Format(perSecond);

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^one-way-(\d+)$")]
    private static partial Regex OneWayName();
}
