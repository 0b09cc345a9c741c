// One channel of the campaign: its region, its producers and groups, and what must be true of them when everybody has come to rest.

using System.Globalization;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.ProcessTests.Roles;

namespace ShmIpc.ProcessTests.Campaigns;

internal sealed class CampaignChannel : IDisposable
{
    /// <summary>Counters of the progress file: producers up to here, seats behind.</summary>
    public const int MostProducers = 400;

    private static readonly string[] _writing = ["write", "claim", "batch", "batch-async", "async"];
    private static readonly string[] _reading = ["sync", "async", "typed"];
    private readonly ScratchRoot _aside;
    private readonly Random _random;
    private readonly ShmByteChannel _channel;
    private readonly ShmChannelOptions _options;
    private ProgressFile? _progress;
    private int _ledgers;
    private int _seats;

    public CampaignChannel(string name, ShmChannelOptions options, ScratchRoot aside, Random random)
    {
        (Name, _options, _aside, _random) = (name, options, aside, random);
        _channel = ShmByteChannel.Create(name, options);
    }

    public string Name { get; }

    public string Root => _options.Root!;

    public ProgressFile Progress => _progress!;

    public int Episode { get; private set; }

    /// <summary>Producers that were started in this episode.</summary>
    public int Producers { get; private set; }

    public List<CampaignGroup> Groups { get; } = [];

    public List<Seat> Seats { get; } = [];

    /// <summary>True when the episode has to end, because its counters are used up.</summary>
    public bool IsUsedUp => Producers >= MostProducers - 8;

    public void AddProducers(int count)
    {
        for (int i = 0; i < count; i++)
        {
            Seats.Add(new Seat("producer", _ => Producer()));
        }
    }

    public void AddGroup(string name, GroupKind kind, bool isDurable, int members)
    {
        CampaignGroup group = new(this, name, kind, isDurable);
        Groups.Add(group);
        string kindOfGroup = $"{(isDurable ? "durable" : "ephemeral")} {kind.ToString().ToLowerInvariant()}";
        string role = name.Length == 0 ? "consumer without a group" : $"member, {kindOfGroup} group";
        for (int i = 0; i < members; i++)
        {
            Seat seat = new(role, seat => Reader(group, seat)) { Group = group, Counter = MostProducers + _seats++ };
            group.Seats.Add(seat);
            Seats.Add(seat);
        }
    }

    public void AddLossyReader(string group) => Seats.Add(new Seat(
        "lossy reader", _ => Line("lossy-reader", ("group", group), ("mode", Any(["sync", "async"])), ("seed", _random.Next()))));

    public void Begin(int episode)
    {
        Episode = episode;
        Producers = 0;
        _progress = new ProgressFile(_aside.FileOf($"{Name}-progress-{episode}"));
        Groups.ForEach(Renew);
    }

    /// <summary>A new generation of a group begins.</summary>
    public void Renew(CampaignGroup group) => group.Begin(_aside.FileOf($"{Name}-ledger-{_ledgers++}"));

    /// <summary>Nobody writes any more: waits until every group has got everything.</summary>
    public void AwaitDrained(string where)
    {
        Groups.ForEach(group => group.Observe(Producers));
        string missing = "";
        int same = 0;
        Eventually.True(
            () =>
            {
                Thread.Sleep(20);
                missing = FindMissing() ?? "";
                same = missing.Length == 0 ? same + 1 : 0;
                return same == 3;
            },
            () => $"{where}: the groups of {Name} get everything; {missing}");
    }

    /// <summary>Nobody is there any more. What the dead held of durable groups comes to the one who asks now; then the ledgers are
    /// compared with what was committed.</summary>
    /// <returns>Messages, and how often one was repeated.</returns>
    public (long Messages, long Repeated) Compare(string where)
    {
        foreach (CampaignGroup group in Groups.Where(group => group.IsDurable))
        {
            Inherit(group);
        }

        long messages = 0;
        long repeated = 0;
        for (int producer = 0; producer < Producers; producer++)
        {
            long committed = Progress[producer];
            messages += committed;
            repeated += Groups.Sum(group => Compare(group, producer, committed, where));
            for (long number = committed; Groups.Count > 0 && number < committed + CampaignRoles.BatchMessages; number++)
            {
                // Committed, but its producer was killed before it could say so: for all groups or for none, and a batch as a whole.
                bool[] seen = [.. Groups.Where(group => group.IsThereFor(producer)).Select(group => group.HasSeen(producer, number))];
                Assert.True(seen.Distinct().Count() <= 1, $"{where}: message {number} of producer {producer}, which had committed "
                    + $"{committed}, was seen by some groups of {Name} only: {string.Join(", ", seen)}");
            }
        }

        return (messages, repeated);
    }

    /// <summary>Nobody is there: as many can come as the channel has room for, no matter in which order.</summary>
    public void ExpectRoomForAll(string where)
    {
        Assert.Equal((0, 0), (_channel.ProducerCount, _channel.ConsumerCount));
        int participants = _options.MaxParticipants!.Value - _options.MaxProducers!.Value;
        int nameless = _options.MaxGroups!.Value - Groups.Count(group => group.IsDurable);
        List<IDisposable> all = [];
        try
        {
            Action[] arrivals =
            [
                () => Come(_options.MaxProducers!.Value, () => _channel.CreateProducer()),
                () => Come(nameless, () => _channel.CreateConsumer()),
                () => Come(participants - nameless, () => _channel.CreateObserver(StartPosition.Latest)),
            ];
            _random.Shuffle(arrivals);
            Array.ForEach(arrivals, arrive => arrive());
        }
        catch (ShmLimitException error)
        {
            throw new InvalidOperationException(
                $"{where}: {Name} has no room for all when nobody is there, after {all.Count} had come: {error.Message}", error);
        }
        finally
        {
            all.ForEach(one => one.Dispose());
        }

        void Come(int count, Func<IDisposable> come)
        {
            for (int i = 0; i < count; i++)
            {
                all.Add(come());
            }
        }
    }

    public void End()
    {
        Groups.ForEach(group => group.Dispose());
        string? path = _progress?.Path;
        _progress?.Dispose();
        _progress = null;
        if (path is not null)
        {
            File.Delete(path);
        }
    }

    public void Dispose()
    {
        End();
        _channel.Dispose();
        _ = ShmChannel.Delete(Name, Root);
    }

    private static long Compare(CampaignGroup group, int producer, long committed, string where)
    {
        long repeated = 0;
        long from = group.From(producer);
        for (long number = 0; number < Math.Min(committed + (2 * CampaignRoles.BatchMessages), CampaignRoles.MostMessages); number++)
        {
            (int once, int again) = group.Ledger[producer, number];
            bool isRight = once <= 1 && (again == 0 || group.Name.Length > 0)
                && (number < from || number >= committed || once + again > 0)
                && (number < committed + CampaignRoles.BatchMessages || once + again == 0);
            Assert.True(isRight, $"{where}: {group} saw message {number} of producer {producer}, which had committed {committed}, "
                + $"{once} times as the first time and {again} times as a repetition; it was to see everything from {from} on.");
            repeated += again;
        }

        return repeated;
    }

    private string? FindMissing()
    {
        foreach (CampaignGroup group in Groups)
        {
            if (!group.Seats.Any(group.HasJoined))
            {
                return $"nobody has joined {group} yet";
            }

            group.Observe(Producers);
            for (int producer = 0; producer < Producers; producer++)
            {
                for (long number = group.From(producer); number < Progress[producer]; number++)
                {
                    if (!group.HasSeen(producer, number))
                    {
                        return $"{group} has not seen message {number} of {Progress[producer]} of producer {producer}";
                    }
                }
            }
        }

        return _channel.Groups.FirstOrDefault(group => group.Members.Count > 0 && group.Lag > 0) is { } late
            ? $"{late.Name ?? "(nameless)"} is {late.Lag} messages behind"
            : null;
    }

    /// <summary>Joins a group and takes what others have left unacknowledged there.</summary>
    private void Inherit(CampaignGroup group)
    {
        using ByteConsumer heir = _channel.CreateConsumer(new ConsumerOptions { Group = group.Name, Kind = group.Kind, Durable = true });
        GroupReader reader = new(group.Ledger, group.Kind, group.IsDurable, Episode, 0, 0);
        while (heir.WaitToRead(TimeSpan.FromMilliseconds(300)))
        {
            while (heir.TryRead(out ShmRecord record))
            {
                reader.Note(record.Payload, record.DeliveryCount);
            }
        }
    }

    private string Producer()
    {
        Groups.ForEach(group => group.Observe(Producers));
        long id = ((long)Episode * CampaignRoles.ProducersOfEpisode) + Producers++;
        return Line("producer", ("id", id), ("mode", Any(_writing)), ("flush", _options.Flush is null ? 0 : 1));
    }

    private string Reader(CampaignGroup group, Seat seat)
    {
        int inFlight = group.Name.Length == 0 || _random.Next(3) == 0 ? 0 : _random.Next(1, 9);
        bool canTakeBatches = group.Kind == GroupKind.Exclusive && inFlight == 0;
        return Line(
            "reader",
            ("group", group.Name),
            ("kind", group.Kind),
            ("durable", group.IsDurable ? 1 : 0),
            ("in-flight", inFlight),
            ("mode", canTakeBatches && _random.Next(3) == 0 ? "batch" : Any(_reading)),
            ("ledger", group.LedgerPath),
            ("episode", Episode),
            ("seed", _random.Next()),
            ("seat", seat.Counter),
            ("incarnation", seat.Incarnation));
    }

    private string Any(string[] words) => words[_random.Next(words.Length)];

    private string Line(string part, params IEnumerable<(string Key, object Value)> arguments) => string.Join(
        ' ',
        arguments.Prepend(("channel", Name)).Prepend(("root", Root)).Prepend(("progress", Progress.Path))
            .Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Item1}={pair.Item2}")).Prepend(part));
}
