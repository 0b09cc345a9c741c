// Four producers and three groups (one consumer for itself; a shared group of three members; an exclusive one with a stand-by), killed and
// stopped at random. Afterwards the ledgers say what every group saw: every committed message, in each producer's order, and twice only
// where a redelivery was announced.

using System.Diagnostics;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.ProcessTests.Roles;

namespace ShmIpc.ProcessTests;

public sealed class GroupDeliveryTests(ITestOutputHelper output) : IDisposable
{
    private const int Producers = 4;
    private const int MostProducers = 400; // with the successors of those that were killed
    private static readonly string[] _groups = ["", "pool", "line"];
    private readonly ITestOutputHelper _output = output;
    private readonly ScratchRoot _root = new();
    private readonly ScratchRoot _aside = new();
    private readonly List<ChildProcess> _children = [];

    [Fact]
    public void Every_group_sees_every_committed_message_whoever_dies()
    {
        Campaign campaign = new(_output);
        long start = Stopwatch.GetTimestamp();
        long target = Campaign.Rounds(1_000_000);
        ShmChannelOptions options = new()
        {
            Root = _root.Path,
            LaneCapacityBytes = 64 * 1024,
            MaxProducers = Producers,
            RequiredGroups = [new() { Name = "pool", Kind = GroupKind.Shared }, new() { Name = "line" }],
        };
        using ShmByteChannel channel = ShmByteChannel.Create("delivery", options);
        using ProgressFile progress = new(_aside.FileOf("progress"));
        ChildProcess broadcast = StartReader("", GroupKind.Exclusive, 0, target);
        ChildProcess[] pool = [.. Enumerable.Range(0, 3).Select(i => StartReader("pool", GroupKind.Shared, i * 4, target))];
        ChildProcess[] line = [.. Enumerable.Range(0, 2).Select(i => StartReader("line", GroupKind.Exclusive, i * 4, target))];
        int writers = 0;
        ChildProcess[] producers = [.. Enumerable.Range(0, Producers).Select(_ => StartWriter(ref writers, target))];
        foreach (ChildProcess producer in producers)
        {
            producer.Send("go");
        }

        int producerKills = 0;
        int memberKills = 0;
        int stops = 0;
        while (Enumerable.Range(0, writers).Sum(id => progress[id]) < target && writers < MostProducers - 1)
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromMinutes(20), "The campaign does not come to its end.");
            foreach (ChildProcess child in (ChildProcess[])[broadcast, .. pool, .. line, .. producers])
            {
                if (child.HasExited)
                {
                    child.ExpectEnd(); // says what it wrote to stderr
                    Assert.Fail($"{child} ended early.");
                }
            }

            Thread.Sleep(campaign.Instant(TimeSpan.FromMilliseconds(100)));
            switch (campaign.Random.Next(5))
            {
                case 0:
                    int producer = campaign.Random.Next(Producers);
                    ChildProcess successor = StartWriter(ref writers, target);
                    producers[producer].Kill();
                    successor.Send("go");
                    producers[producer] = successor;
                    producerKills++;
                    break;
                case 1:
                    Replace(pool, campaign, "pool", GroupKind.Shared, target);
                    memberKills++;
                    break;
                case 2:
                    Replace(line, campaign, "line", GroupKind.Exclusive, target);
                    memberKills++;
                    break;
                default:
                    ChildProcess[] all = [broadcast, .. pool, .. line, .. producers];
                    ChildProcess stopped = all[campaign.Random.Next(all.Length)];
                    stopped.TryStop();
                    Thread.Sleep(campaign.Instant(TimeSpan.FromMilliseconds(150)));
                    stopped.TryContinue();
                    stops++;
                    break;
            }
        }

        progress[GroupRoles.StopCounter] = 1;
        foreach (ChildProcess producer in producers)
        {
            producer.Expect("done", TimeSpan.FromMinutes(2));
            producer.Send("end");
            producer.ExpectEnd();
        }

        foreach (ChildProcess reader in (ChildProcess[])[broadcast, .. pool, .. line])
        {
            reader.Expect("done", TimeSpan.FromMinutes(2));
        }

        long committed = 0;
        long[] repeated = new long[_groups.Length];
        Ledger[] ledgers = [.. _groups.Select(group => new Ledger(LedgerPath(group), MostProducers, target))];
        for (int id = 0; id < writers; id++)
        {
            committed += progress[id];
            Assert.All(ledgers.Index(), ledger => repeated[ledger.Index] += Compare(
                ledger.Item, ledgers[0], id, progress[id], target, _groups[ledger.Index], campaign.Seed));
        }

        foreach (Ledger ledger in ledgers)
        {
            ledger.Dispose();
        }

        Assert.Equal(0, repeated[0]);
        _output.WriteLine($"{committed} messages of {writers} producers; {producerKills} producers and {memberKills} members killed, "
            + $"{stops} stopped; repeated and announced: {repeated[1]} in the shared group, {repeated[2]} in the exclusive one; "
            + $"{Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s");
    }

    public void Dispose()
    {
        foreach (ChildProcess child in _children)
        {
            child.Dispose();
        }

        _aside.Dispose();
        _root.Dispose();
    }

    /// <summary>What one group saw of one producer; returns how many deliveries were repeated.</summary>
    private static long Compare(Ledger ledger, Ledger first, int id, long committed, long target, string group, int seed)
    {
        long repeated = 0;
        for (long number = 0; number < Math.Min(committed + 2, target); number++)
        {
            (int once, int again) = ledger[id, number];
            (int firstOnce, _) = first[id, number];
            bool isRight = once <= 1 && (number < committed ? once + again > 0 : number == committed && (once + again > 0) == (firstOnce > 0));
            isRight |= number > committed && once + again == 0;
            Assert.True(isRight, $"SHMIPC_SEED={seed}: group \"{group}\" saw message {number} of producer {id}, which had committed "
                + $"{committed}, {once} times as the first time and {again} times as a repetition.");
            repeated += again;
        }

        return repeated;
    }

    private void Replace(ChildProcess[] members, Campaign campaign, string group, GroupKind kind, long target)
    {
        int member = campaign.Random.Next(members.Length);
        members[member].Kill();
        members[member] = StartReader(group, kind, campaign.Random.Next(3) * 4, target);
    }

    private ChildProcess StartReader(string group, GroupKind kind, int inFlight, long target) => Start(
        "group-reader", ("group", group), ("kind", kind), ("in-flight", inFlight), ("ledger", LedgerPath(group)),
        ("producers", MostProducers), ("count", target));

    private ChildProcess StartWriter(ref int writers, long target) => Start("group-writer", ("id", writers++), ("count", target));

    private ChildProcess Start(string role, params IEnumerable<(string Key, object Value)> arguments)
    {
        ChildProcess child = ChildProcess.StartReady(
            role, [("root", _root.Path), ("channel", "delivery"), ("progress", _aside.FileOf("progress")), .. arguments]);
        _children.Add(child);
        return child;
    }

    private string LedgerPath(string group) => _aside.FileOf($"ledger-{group}");
}
