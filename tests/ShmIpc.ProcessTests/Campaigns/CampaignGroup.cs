// What the test knows of one group: who sits in it, what its members noted, and from where on it must have seen everything. An ephemeral
// group may end with its last member, so it has generations; a durable one has one an episode.

using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.ProcessTests.Roles;

namespace ShmIpc.ProcessTests.Campaigns;

internal sealed class CampaignGroup(CampaignChannel channel, string name, GroupKind kind, bool isDurable) : IDisposable
{
    private readonly CampaignChannel _channel = channel;
    private long[]? _from;
    private string _path = "";
    private Ledger? _ledger;

    /// <summary>Empty: a nameless consumer.</summary>
    public string Name { get; } = name;

    public GroupKind Kind { get; } = kind;

    public bool IsDurable { get; } = isDurable;

    public List<Seat> Seats { get; } = [];

    public string LedgerPath => _path;

    public Ledger Ledger => _ledger!;

    public bool HasJoined(Seat seat) => seat.Child is not null && _channel.Progress[seat.Counter] == seat.Incarnation;

    /// <summary>True when nothing holds the group any more once that child is gone.</summary>
    public bool EndsWithout(Seat seat) => !IsDurable && !Seats.Any(other => other != seat && HasJoined(other));

    public void Begin(string path)
    {
        Dispose();
        _path = path;
        _ledger = new Ledger(path, CampaignRoles.ProducersOfEpisode, CampaignRoles.MostMessages);
        _from = IsDurable ? [] : null;
    }

    /// <summary>Forgets what was noted.</summary>
    public void Dispose()
    {
        if (_ledger is not null)
        {
            _ledger.Dispose();
            _ledger = null;
            File.Delete(_path);
        }
    }

    /// <summary>Once a member is seen to have joined, everything that is committed later belongs to the group.</summary>
    public void Observe(int producers)
    {
        if (_from is null && Seats.Any(HasJoined))
        {
            _from = [.. Enumerable.Range(0, producers).Select(id => _channel.Progress[id])];
        }
    }

    /// <summary>Number of the first message of a producer that the group must have seen.</summary>
    public long From(int producer) => _from is null ? long.MaxValue : producer < _from.Length ? _from[producer] : 0;

    /// <summary>True when the producer began while the group was there.</summary>
    public bool IsThereFor(int producer) => _from is not null && producer >= _from.Length;

    public bool HasSeen(int producer, long number)
    {
        (int first, int repeated) = Ledger[producer, number];
        return first + repeated > 0;
    }

    public override string ToString() => $"{_channel.Name}/{(Name.Length == 0 ? "(nameless)" : Name)}";
}
