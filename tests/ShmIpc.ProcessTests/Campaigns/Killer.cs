// Who kills, stops and continues the children in the seats, and fills the seats again. What is to happen a little later waits in a queue,
// so that much goes on at the same time: one is stopped while others die, and some die while they attach.

using System.Diagnostics;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Campaigns;

internal sealed class Killer(Random random, SpareChildren spares, Action<CampaignGroup> renew) : IDisposable
{
    private const int AttachingMs = 120; // about what it takes a child from its task to its first messages
    private const int StoppedMs = 150;
    private readonly Random _random = random;
    private readonly SpareChildren _spares = spares;
    private readonly Action<CampaignGroup> _renew = renew;
    private readonly PriorityQueue<Action, long> _later = new();
    private readonly SortedDictionary<string, int> _killsOf = [];
    private readonly List<ChildProcess> _stopped = [];

    public List<Seat> Seats { get; } = [];

    public IReadOnlyDictionary<string, int> KillsOf => _killsOf;

    public int Kills { get; private set; }

    public int AttachingKills { get; private set; }

    public int MultipleKills { get; private set; }

    public int KillsBesideStopped { get; private set; }

    public int Stops { get; private set; }

    public int Departures { get; private set; }

    public int Generations { get; private set; }

    public void FillAll() => Seats.ForEach(seat => seat.Fill(_spares));

    /// <summary>One random misfortune.</summary>
    public void Strike()
    {
        ExpectAllAlive();
        RunDue(Stopwatch.GetTimestamp());
        switch (_random.Next(10))
        {
            case 0:
                MultipleKills++;
                Kill([.. Enumerable.Range(0, _random.Next(2, 5)).Select(_ => Any()).Distinct()], replace: true);
                break;
            case 1:
                StopForAWhile(Any());
                KillsBesideStopped++;
                Kill([Any()], replace: true);
                break;
            case 2:
                StopForAWhile(Any());
                break;
            case 3:
                Depart(Any());
                break;
            default:
                Kill([Any()], replace: true);
                break;
        }
    }

    /// <summary>Does at once what was to happen later. Nobody is stopped then.</summary>
    public void Settle()
    {
        RunDue(long.MaxValue);
        ExpectAllAlive();
    }

    /// <summary>They end of their own accord.</summary>
    public static void End(IEnumerable<Seat> seats)
    {
        ChildProcess[] children = [.. seats.Select(seat => seat.Leave())];
        Array.ForEach(children, child => child.Send("end"));
        foreach (ChildProcess child in children)
        {
            child.ExpectEnd();
            child.Dispose();
        }
    }

    /// <summary>Some end of their own accord, and some are killed while they do.</summary>
    public void EndOrKill(List<Seat> seats)
    {
        List<Seat> doomed = [.. seats.Where(_ => _random.Next(2) == 0)];
        List<Seat> ending = [.. seats.Except(doomed)];
        ending.ForEach(seat => seat.Child!.Send("end"));
        Kill(doomed, replace: false);
        foreach (Seat seat in ending)
        {
            using ChildProcess child = seat.Leave();
            child.ExpectEnd();
        }
    }

    public void Dispose()
    {
        foreach (Seat seat in Seats)
        {
            seat.Child?.Dispose();
        }
    }

    private Seat Any() => Seats[_random.Next(Seats.Count)];

    private void ExpectAllAlive()
    {
        foreach (Seat seat in Seats)
        {
            if (seat.Child is { HasExited: true } child)
            {
                child.ExpectEnd(); // says what it wrote to stderr
                Assert.Fail($"{child}, {seat.Role}, ended early.");
            }
        }
    }

    private void RunDue(long now)
    {
        while (_later.TryPeek(out _, out long due) && due <= now)
        {
            _later.Dequeue()();
        }
    }

    private void Later(int mostMs, Action action) =>
        _later.Enqueue(action, Stopwatch.GetTimestamp() + (_random.Next(mostMs * 1000) * Stopwatch.Frequency / 1_000_000));

    private void StopForAWhile(Seat seat)
    {
        ChildProcess child = seat.Child!;
        if (_stopped.Contains(child))
        {
            return;
        }

        Stops++;
        child.TryStop();
        _stopped.Add(child);
        Later(StoppedMs, () =>
        {
            if (_stopped.Remove(child))
            {
                child.TryContinue();
            }
        });
    }

    /// <summary>One leaves of its own accord, which is no death.</summary>
    private void Depart(Seat seat)
    {
        // One that is stopped may hold it up, and nobody continues that one while this one is waited for.
        if (_stopped.Count > 0 || seat.Group?.EndsWithout(seat) == true)
        {
            Kill([seat], replace: true);
            return;
        }

        Departures++;
        End([seat]);
        seat.Fill(_spares);
    }

    /// <summary>All at once. When a group ends with them, those of its members who would go on without it are killed, too.</summary>
    private void Kill(List<Seat> seats, bool replace)
    {
        List<CampaignGroup> ended = [];
        foreach (CampaignGroup group in seats.Select(seat => seat.Group).OfType<CampaignGroup>().Distinct())
        {
            if (replace && !group.IsDurable && !group.Seats.Any(seat => group.HasJoined(seat) && !seats.Contains(seat)))
            {
                ended.Add(group);
                seats = [.. seats.Union(group.Seats)];
            }
        }

        seats.ForEach(seat => Linux.Signal(seat.Child!.Id, Linux.SIGKILL));
        foreach (Seat seat in seats)
        {
            using ChildProcess child = seat.Leave();
            child.ExpectKilled();
            _ = _stopped.Remove(child);
            Kills++;
            _killsOf[seat.Role] = _killsOf.GetValueOrDefault(seat.Role) + 1;
        }

        if (!replace)
        {
            return;
        }

        ended.ForEach(_renew);
        Generations += ended.Count;
        foreach (Seat seat in seats)
        {
            seat.Fill(_spares);
            if (_random.Next(3) == 0)
            {
                ChildProcess child = seat.Child!;
                Later(AttachingMs, () =>
                {
                    if (seat.Child == child && !child.HasExited)
                    {
                        AttachingKills++;
                        Kill([seat], replace: true);
                    }
                });
            }
        }
    }
}
