// Everything at once, and everybody mortal: producers, consumers of every kind, readers that lose messages, writers and readers of a
// shared value, creators and deleters, killed, stopped and continued at random, for a minute or for thousands of kills. In episodes: at
// the end of each everybody comes to rest, what the consumers noted is compared with what the producers had committed, and nobody may
// have left anything behind.
//
// SHMIPC_LONG=1: until 10,000 kills are done, or as many as SHMIPC_KILLS says, 90 minutes at most.

using System.Diagnostics;
using System.Globalization;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Campaigns;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.Tests.Values;
using ShmIpc.Values;

namespace ShmIpc.ProcessTests;

public sealed class CampaignTests(ITestOutputHelper output) : IDisposable
{
    private const int KillsOfLongCampaign = 10_000;
    private const int KillsOfEpisode = 250;
    private const int MaxValueParticipants = 8;
    private const string ContestedName = "contested";
    private static readonly TimeSpan _slice = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _longest = TimeSpan.FromMinutes(90);
    private readonly ITestOutputHelper _output = output;
    private readonly ScratchRoot _root = new();
    private readonly ScratchRoot _diskRoot = new(ScratchRoot.DiskOrMemory);
    private readonly ScratchRoot _contestedRoot = new();
    private readonly ScratchRoot _aside = new();

    [Fact]
    public void Whoever_dies_nothing_is_lost_torn_disordered_or_left_behind()
    {
        Campaign campaign = new(_output);
        long start = Stopwatch.GetTimestamp();
        int kills = Campaign.IsLong ? WantedKills() : int.MaxValue;
        TimeSpan longest = Campaign.IsLong ? _longest : _slice;
        using CampaignChannel main = MakeMain(campaign.Random);
        using CampaignChannel lossy = MakeLossy(campaign.Random);
        using CampaignChannel disk = MakeDisk(campaign.Random);
        CampaignChannel[] channels = [main, lossy, disk];
        using SharedValue<Pattern> value = SharedValue.Create(
            "value", new PatternSerializer(), new SharedValueOptions { Root = _root.Path, MaxParticipants = MaxValueParticipants });
        using ProgressFile written = new(_aside.FileOf("value-progress"));
        using SpareChildren spares = new(Environment.ProcessorCount * 2);
        using Killer killer = new(campaign.Random, spares, group => channels.First(channel => channel.Groups.Contains(group)).Renew(group));
        killer.Seats.AddRange(channels.SelectMany(channel => channel.Seats));
        killer.Seats.AddRange(OtherSeats(campaign.Random, written.Path));
        int held = Held();
        long messages = 0;
        long repeated = 0;
        int episodes = 0;
        while (killer.Kills < kills && Stopwatch.GetElapsedTime(start) < longest)
        {
            Array.ForEach(channels, channel => channel.Begin(episodes));
            killer.FillAll();
            int enough = killer.Kills + KillsOfEpisode;
            while (killer.Kills < Math.Min(enough, kills) && Stopwatch.GetElapsedTime(start) < longest
                && !channels.Any(channel => channel.IsUsedUp))
            {
                Thread.Sleep(campaign.Random.Next(40));
                killer.Strike();
            }

            killer.Settle();
            string where = $"SHMIPC_SEED={campaign.Seed}, episode {episodes}, {killer.Kills} kills";
            Killer.End(killer.Seats.Where(seat => seat.Role == "producer"));
            Array.ForEach(channels, channel => channel.AwaitDrained(where));
            killer.EndOrKill([.. killer.Seats.Where(seat => seat.Child is not null)]);
            foreach (CampaignChannel channel in channels)
            {
                (long came, long again) = channel.Compare(where);
                (messages, repeated) = (messages + came, repeated + again);
                channel.ExpectRoomForAll(where);
                channel.End();
            }

            ExpectValueIsFree(value, written, where);
            ExpectContestedIsUsable(where);
            Assert.Equal(["lossy", "main", "value"], Directory.GetFileSystemEntries(_root.Path).Select(Path.GetFileName).Order());
            Assert.Equal(["disk"], Directory.GetFileSystemEntries(_diskRoot.Path).Select(Path.GetFileName));
            Assert.True(Held() == held, $"{where}: the test held {held} mappings and descriptors of regions, and holds {Held()}.");
            episodes++;
            _output.WriteLine($"episode {episodes}: {killer.Kills} kills, {messages} messages, "
                + $"{Stopwatch.GetElapsedTime(start).TotalSeconds:F0} s");
        }

        Assert.True(killer.Kills > 0 && messages > 0);
        Report(campaign.Seed, killer, episodes, messages, repeated, value.Version, Stopwatch.GetElapsedTime(start));
    }

    public void Dispose()
    {
        _aside.Dispose();
        _contestedRoot.Dispose();
        _diskRoot.Dispose();
        _root.Dispose();
    }

    private static int WantedKills()
    {
        string? wanted = Environment.GetEnvironmentVariable("SHMIPC_KILLS");
        return int.TryParse(wanted, CultureInfo.InvariantCulture, out int kills) ? kills : KillsOfLongCampaign;
    }

    private CampaignChannel MakeMain(Random random)
    {
        CampaignChannel main = new(
            "main",
            new ShmChannelOptions
            {
                Root = _root.Path,
                LaneCapacityBytes = 64 * 1024,
                MaxProducers = 4,
                MaxGroups = 8,
                MaxParticipants = 24,
                RequiredGroups = [new() { Name = "pool", Kind = GroupKind.Shared }, new() { Name = "line" }],
            },
            _aside,
            random);
        main.AddProducers(5); // one waits for a lane
        main.AddGroup("pool", GroupKind.Shared, isDurable: true, members: 3);
        main.AddGroup("line", GroupKind.Exclusive, isDurable: true, members: 2);
        main.AddGroup("squad", GroupKind.Shared, isDurable: false, members: 2);
        main.AddGroup("team", GroupKind.Exclusive, isDurable: false, members: 2);
        main.AddGroup("", GroupKind.Exclusive, isDurable: false, members: 1);
        main.AddGroup("", GroupKind.Exclusive, isDurable: false, members: 1);
        return main;
    }

    private CampaignChannel MakeLossy(Random random)
    {
        CampaignChannel lossy = new(
            "lossy",
            new ShmChannelOptions
            {
                Root = _root.Path,
                LaneCapacityBytes = 64 * 1024,
                MaxProducers = 2,
                MaxGroups = 4,
                MaxParticipants = 12,
                FullMode = ShmFullMode.DropOldest,
            },
            _aside,
            random);
        lossy.AddProducers(2);
        lossy.AddLossyReader("");
        lossy.AddLossyReader("observer");
        lossy.AddLossyReader("tail");
        lossy.AddLossyReader("tail");
        return lossy;
    }

    private CampaignChannel MakeDisk(Random random)
    {
        CampaignChannel disk = new(
            "disk",
            new ShmChannelOptions
            {
                Root = _diskRoot.Path,
                LaneCapacityBytes = 64 * 1024,
                MaxProducers = 2,
                MaxGroups = 4,
                MaxParticipants = 12,
                Checksums = true,
                Flush = ScratchRoot.IsOnDisk(_diskRoot.Path) ? ShmFlushMode.Async : null,
                RequiredGroups = [new() { Name = "log" }],
            },
            _aside,
            random);
        disk.AddProducers(2);
        disk.AddGroup("log", GroupKind.Exclusive, isDurable: true, members: 2);
        disk.AddGroup("", GroupKind.Exclusive, isDurable: false, members: 1);
        return disk;
    }

    private IEnumerable<Seat> OtherSeats(Random random, string written)
    {
        string value = $"root={_root.Path} channel=value progress={written}";
        yield return new Seat("value writer", _ => $"value-writer {value} seed={random.Next()}");
        yield return new Seat("value reader", _ => $"value-reader {value} mode=sync");
        yield return new Seat("value reader", _ => $"value-reader {value} mode=async");
        for (int i = 0; i < 2; i++)
        {
            yield return new Seat("creator and deleter", _ => $"creator root={_contestedRoot.Path} channel={ContestedName}");
        }
    }

    private void ExpectValueIsFree(SharedValue<Pattern> value, ProgressFile written, string where)
    {
        Assert.False(value.HasWriter, where);
        Assert.True(value.Version == written[0] || value.Version == written[0] + 1, where);
        SharedValueOptions options = new() { Root = _root.Path };
        using SharedValueWriter<Pattern> writer = value.CreateWriter();
        List<SharedValue<Pattern>> waiters = [];
        try
        {
            for (int i = 1; i < MaxValueParticipants; i++)
            {
                waiters.Add(SharedValue.Open("value", new PatternSerializer(), options));
                Assert.False(waiters[^1].WaitForChange(value.Version, TimeSpan.FromMilliseconds(1)), where); // takes a participant's slot
            }
        }
        finally
        {
            waiters.ForEach(waiter => waiter.Dispose());
        }
    }

    private void ExpectContestedIsUsable(string where)
    {
        string[] left = [.. Directory.GetFileSystemEntries(_contestedRoot.Path).Select(path => Path.GetFileName(path)!)];
        Assert.True(left is [] or [ContestedName], $"{where}: the creators left {string.Join(", ", left)}");
        CreatorKillTests.UseAndDelete(new ShmChannelOptions { Root = _contestedRoot.Path });
        Assert.Empty(Directory.GetFileSystemEntries(_contestedRoot.Path));
    }

    /// <summary>Mappings and descriptors of this process that belong to regions.</summary>
    private int Held()
    {
        string[] roots = [_root.Path, _diskRoot.Path, _contestedRoot.Path];
        return File.ReadAllLines("/proc/self/maps").Count(line => roots.Any(root => line.Contains(root, StringComparison.Ordinal)))
            + Directory.GetFiles("/proc/self/fd").Count(
                path => roots.Any(root => new FileInfo(path).LinkTarget?.StartsWith(root, StringComparison.Ordinal) == true));
    }

    private void Report(int seed, Killer killer, int episodes, long messages, long repeated, long values, TimeSpan time)
    {
        List<(string What, long Count)> counts =
        [
            ("children killed", killer.Kills),
            .. killer.KillsOf.Select(pair => ($"of these: {pair.Key}", (long)pair.Value)),
            ("killed within 120 ms of their start, most while attaching", killer.AttachingKills),
            ("times that two to four were killed at once", killer.MultipleKills),
            ("kills while another was stopped", killer.KillsBesideStopped),
            ("stops (SIGSTOP, up to 150 ms)", killer.Stops),
            ("orderly departures", killer.Departures),
            ("times that an ephemeral group died out", killer.Generations),
            ("messages committed and checked", messages),
            ("announced redeliveries", repeated),
            ("values written to the shared value", values),
            ("quiet points with a leak check", episodes),
        ];
        IEnumerable<string> rows =
            counts.Select(row => string.Create(CultureInfo.InvariantCulture, $"| {row.What} | {row.Count:N0} |"));
        string text = string.Create(
            CultureInfo.InvariantCulture,
            $"""
            {killer.Kills:N0} kills in {time.TotalMinutes:F1} minutes on {Environment.ProcessorCount} cores, kernel {Linux.KernelRelease},
            SHMIPC_SEED={seed}. Lost, torn, out of order, repeated without announcement, leaked: 0.

            | what | count |
            |---|---:|
            {string.Join('\n', rows)}

            """);
        _output.WriteLine(text);
        Fragment.Write("campaign", text);
    }
}
