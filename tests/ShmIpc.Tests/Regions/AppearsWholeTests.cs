using System.Collections.Concurrent;
using System.Diagnostics;
using ShmIpc.Channels;
using ShmIpc.Regions;
using Xunit;

namespace ShmIpc.Tests.Regions;

/// <summary>Regions appear complete or not at all, and two populations never share a name, whoever creates and deletes at the same
/// time.</summary>
public sealed class AppearsWholeTests : IDisposable
{
    private const string ChildRoot = "SHMIPC_TEST_CHILD_ROOT";
    private const int Children = 3;
    private static readonly TimeSpan _atMost = TimeSpan.FromSeconds(60);
    private readonly RegionScene _scene = new();

    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    public void Generations_have_one_population_each(int threads)
    {
        const int generations = 150;
        using Barrier together = new(threads);
        ConcurrentDictionary<Guid, int> population = new();
        HashSet<Guid> earlier = [];
        int deleted = 0;
        Concurrently.Run(threads, _atMost, thread =>
        {
            for (int generation = 0; generation < generations; generation++)
            {
                Assert.True(together.SignalAndWait(_atMost));
                using RegionFile region = CreateOrOpen(_scene.Root);
                population.AddOrUpdate(region.Header.RegionId, 1, (_, members) => members + 1);
                Assert.True(together.SignalAndWait(_atMost));
                Assert.False(region.IsDeleted);
                if (thread == 0)
                {
                    (Guid id, int members) = Assert.Single(population);
                    Assert.Equal(threads, members);
                    Assert.True(earlier.Add(id));
                    Assert.Equal([_scene.File], Directory.EnumerateFileSystemEntries(_scene.Root));
                    population.Clear();
                    deleted = 0;
                }

                Assert.True(together.SignalAndWait(_atMost));
                if (RegionFile.Delete(RegionScene.Name, _scene.Root))
                {
                    Interlocked.Increment(ref deleted);
                }

                Assert.True(region.IsDeleted);
                Assert.Throws<ShmRegionDeletedException>(region.ThrowIfDeleted);
                Assert.True(together.SignalAndWait(_atMost));
                Assert.Equal(1, deleted);
                Assert.False(RegionFile.Exists(RegionScene.Name, _scene.Root));
            }
        });
        Assert.Empty(RegionScene.Traces(_scene.Root));
    }

    [Fact]
    public void Creators_that_insist_are_told_apart()
    {
        const int threads = 8;
        for (int round = 0; round < 50; round++)
        {
            int created = 0;
            Concurrently.Run(threads, _atMost, _ =>
            {
                try
                {
                    using ShmByteChannel channel = ShmByteChannel.Create(RegionScene.Name, RegionScene.Options(_scene.Root));
                    Interlocked.Increment(ref created);
                }
                catch (ShmRegionExistsException)
                {
                }
            });
            Assert.Equal(1, created);
            Assert.True(ShmChannel.Delete(RegionScene.Name, _scene.Root));
        }
    }

    [Fact]
    public void Threads_in_any_order()
    {
        const int threads = 8;
        int seed = Environment.TickCount;
        Turmoil[] turmoils = [.. Enumerable.Range(0, threads).Select(thread => new Turmoil(_scene.Root, seed + thread))];
        Concurrently.Run(threads, _atMost, thread => turmoils[thread].Run(TimeSpan.FromSeconds(4)));
        Account(turmoils.SelectMany(turmoil => turmoil.Seen), turmoils.Sum(turmoil => turmoil.Deleted));
    }

    [Fact]
    public async Task Processes_in_any_order()
    {
        string program = Path.Combine(AppContext.BaseDirectory, "ShmIpc.Tests");
        Assert.SkipUnless(File.Exists(program), $"There is no {program} to start.");
        Process[] children = [.. Enumerable.Range(0, Children).Select(Start)];
        try
        {
            List<Guid> seen = [];
            int deleted = 0;
            foreach (Process child in children)
            {
                Task<string> output = child.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
                await child.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(3 * _atMost);
                Assert.True(child.ExitCode == 0, await output);
            }

            foreach (string report in Directory.GetFiles(_scene.Root + "-reports"))
            {
                string[] lines = await File.ReadAllLinesAsync(report, TestContext.Current.CancellationToken);
                deleted += int.Parse(lines[0]);
                seen.AddRange(lines[1..].Select(Guid.Parse));
            }

            Assert.Equal(Children, Directory.GetFiles(_scene.Root + "-reports").Length);
            Account(seen, deleted);
        }
        finally
        {
            foreach (Process child in children)
            {
                child.Kill();
                child.Dispose();
            }

            Directory.Delete(_scene.Root + "-reports", recursive: true);
        }

        Process Start(int number)
        {
            Directory.CreateDirectory(_scene.Root + "-reports");
            ProcessStartInfo start = new(
                program,
                ["-noColor", "-explicit", "only", "-method", $"{typeof(AppearsWholeTests).FullName}.{nameof(Child)}"])
            {
                RedirectStandardOutput = true,
            };
            start.Environment[ChildRoot] = _scene.Root;
            return Process.Start(start)!;
        }
    }

    [Fact(Explicit = true)] // a part of Processes_in_any_order, which starts it in processes of its own
    public void Child()
    {
        string root = Environment.GetEnvironmentVariable(ChildRoot) ?? "";
        Assert.SkipWhen(root.Length == 0, "Runs only in a process that another test has started.");
        Turmoil turmoil = new(root, Environment.ProcessId);
        Turmoil second = new(root, -Environment.ProcessId, turmoil);
        Concurrently.Run(2, _atMost, thread => (thread == 0 ? turmoil : second).Run(TimeSpan.FromSeconds(4)));
        File.WriteAllLines(
            Path.Combine(root + "-reports", $"{Environment.ProcessId}"),
                [$"{turmoil.Deleted}", .. turmoil.Seen.Select(id => id.ToString())]);
    }

    public void Dispose() => _scene.Dispose();

    private static RegionFile CreateOrOpen(string root)
    {
        ShmChannelOptions options = RegionScene.Options(root);
        return RegionFile.CreateOrOpen(
            RegionScene.Name, root, () => ChannelLayout.Blueprint(ChannelGeometry.FromOptions(options), "bytes", 0), _ => { }, Check);
    }

    private static void Check(RegionHeader header) => header.Expect(RegionKind.Channel, "bytes", 0);

    /// <summary>Every region that anybody saw was deleted exactly once, but for one that may still be there.</summary>
    private void Account(IEnumerable<Guid> seen, int deleted)
    {
        int regions = seen.Distinct().Count();
        bool isLeft = RegionFile.Exists(RegionScene.Name, _scene.Root);
        Assert.InRange(regions, 2, deleted + (isLeft ? 1 : 0)); // a region may be deleted before its creator has attached
        Assert.Equal(isLeft ? [_scene.File] : [], Directory.EnumerateFileSystemEntries(_scene.Root));
        if (isLeft)
        {
            Assert.True(RegionFile.Delete(RegionScene.Name, _scene.Root));
        }

        Assert.Empty(RegionScene.Traces(_scene.Root));
    }

    /// <summary>Creates, opens, uses and deletes one name, in random order, and checks what it finds each time.</summary>
    private sealed class Turmoil(string root, int seed, Turmoil? sink = null)
    {
        private readonly Random _random = new(seed);
        private readonly Turmoil? _sink = sink;
        private int _deleted;

        public ConcurrentBag<Guid> Seen { get; } = sink?.Seen ?? [];

        public int Deleted => _deleted;

        public void Run(TimeSpan duration)
        {
            for (Stopwatch clock = Stopwatch.StartNew(); clock.Elapsed < duration;)
            {
                switch (_random.Next(4))
                {
                    case 0:
                        if (RegionFile.Delete(RegionScene.Name, root))
                        {
                            Interlocked.Increment(ref (_sink ?? this)._deleted);
                        }

                        break;
                    case 1:
                        try
                        {
                            Use(RegionFile.Open(RegionScene.Name, root, Check));
                        }
                        catch (ShmRegionNotFoundException)
                        {
                        }

                        break;
                    default:
                        Use(CreateOrOpen(root));
                        break;
                }
            }
        }

        private void Use(RegionFile region)
        {
            using (region)
            {
                Seen.Add(region.Header.RegionId);
                Assert.Equal(RegionScene.Options(root).MaxParticipants, region.Header.Section(SectionKind.Participants).Count);
                Stamp stamp = default;
                try
                {
                    stamp = region.Participants.Join(ParticipantRole.Producer);
                }
                catch (ShmLimitException)
                {
                    // two places, and more than two of us
                }

                // Another region has the name: then this one was marked before, for all who use it to see.
                try
                {
                    using RegionFile other = RegionFile.Open(RegionScene.Name, root, Check);
                    Assert.True(other.Header.RegionId == region.Header.RegionId || region.IsDeleted, $"two populations, seed {seed}");
                }
                catch (ShmRegionNotFoundException)
                {
                    Assert.True(region.IsDeleted, $"nameless and in use, seed {seed}");
                }

                if (stamp != Stamp.None)
                {
                    region.Participants.Leave(stamp);
                }
            }
        }
    }
}
