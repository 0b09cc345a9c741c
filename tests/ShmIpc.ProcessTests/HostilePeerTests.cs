// A hostile or broken peer overwrites anything that it can write: those who behave get results or documented exceptions, each in time; none
// of them crashes, and when the region has been made anew everything is as ever. A case is repeated by hand with
//     ShmIpc.ProcessTests child hostile-rounds root=DIRECTORY kind=KIND seed=SEED first=ROUND rounds=1 progress=FILE parent=0

using System.Globalization;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.ProcessTests.Hostile;
using ShmIpc.Serialization;
using ShmIpc.Values;

namespace ShmIpc.ProcessTests;

public sealed class HostilePeerTests(ITestOutputHelper output)
{
    private readonly ITestOutputHelper _output = output;

    public static TheoryData<string> Kinds => [.. HostileKind.All.Select(kind => kind.Name)];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_operation_on_a_region_that_was_scribbled_over_ends_as_documented(string kind)
    {
        const int rounds = 1_200;
        const int fewer = 300; // an evicted group is waited for, 50 ms each time; a disk is slow
        Campaign campaign = new(_output);
        long count = (kind is "evicting" or "on-disk" ? fewer : rounds) * (Campaign.Rounds(1) > 1 ? 130 : 1);
        using ScratchRoot root = new(ParentOf(kind));
        using ScratchRoot aside = new();
        using ProgressFile progress = new(aside.FileOf("progress"));
        using ChildProcess child = ChildProcess.Start(
            "hostile-rounds",
            ("root", root.Path), ("kind", kind), ("seed", campaign.Seed), ("first", 0), ("rounds", count), ("progress", progress.Path));
        string[] said = HostileFigures.Await(child, () => $"kind {kind}, seed {campaign.Seed}, round {progress[0]}");
        _output.WriteLine($"{kind}: {string.Join(' ', said)}");
        HostileFigures.AddScribbling("quick rounds", kind, campaign.Seed, $"{Figure(said[0]):N0} rounds", Figure(said[1]), said[2..]);
        IsAsEver(HostileKind.Named(kind), root.Path);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Those_who_live_beside_a_scribbler_see_documented_exceptions_and_go_on_afterwards(string kind)
    {
        Campaign campaign = new(_output);
        const int leastSteps = 300;
        TimeSpan time = TimeSpan.FromSeconds(Campaign.Rounds(1) > 1 ? 60 : 1);
        using ScratchRoot aside = new();
        using ProgressFile progress = new(aside.FileOf("progress"));
        using ScratchRoot root = new(ParentOf(kind));
        HostileKind.Named(kind).Leave(root.Path);
        using ChildProcess scribbler = ChildProcess.StartReady("hostile-scribbler", ("root", root.Path), ("seed", campaign.Seed));
        using ChildProcess first = StartUser(1);
        using ChildProcess second = StartUser(2);
        ChildProcess[] all = [first, second, scribbler];
        foreach (ChildProcess child in all)
        {
            child.Send("go");
        }

        Thread.Sleep(time);
        Eventually.True(
            () => all.Any(child => child.HasExited) || (progress[1] > leastSteps && progress[2] > leastSteps),
            "a busy machine gives them time",
            5 * ChildProcess.Patience);
        foreach (ChildProcess child in all)
        {
            if (child.HasExited)
            {
                child.ExpectEnd(); // says what it wrote to stderr
                Assert.Fail($"{child} ended before it was told to.");
            }

            child.Send("stop");
        }

        // An operation may take as long as Outcomes allows, and so may what follows it until all is disposed.
        string[][] said = [.. all.Select(child => child.Expect("done", 5 * ChildProcess.Patience))];
        foreach (ChildProcess child in all)
        {
            child.ExpectEnd();
        }

        long words = Figure(said[2][0]);
        string[] outcomes = [.. said[0][1..], .. said[1][1..]];
        _output.WriteLine($"{kind}: {words} words; {string.Join(' ', outcomes)}");
        Assert.True(words > 1_000, $"{words} words were overwritten");
        Assert.Contains(outcomes, outcome => outcome.StartsWith("Shm", StringComparison.Ordinal)); // they did notice
        HostileFigures.AddScribbling("beside a scribbler", kind, campaign.Seed, $"{time.TotalSeconds} s, 2 users", words, outcomes);
        IsAsEver(HostileKind.Named(kind), root.Path);

        ChildProcess StartUser(int number) => ChildProcess.StartReady(
            "hostile-user",
            ("root", root.Path), ("kind", kind), ("seed", campaign.Seed + number), ("progress", progress.Path), ("counter", number));
    }

    private static string ParentOf(string kind) => kind == HostileKind.OnDisk.Name ? ScratchRoot.Disk : ScratchRoot.Memory;

    private static long Figure(string pair) => long.Parse(pair.Split('=')[1], CultureInfo.InvariantCulture);

    /// <summary>Deleted and created anew under the same name, the region works.</summary>
    private static void IsAsEver(HostileKind kind, string root)
    {
        ShmChannel.Delete(HostileKind.Region, root);
        Assert.False(ShmChannel.Exists(HostileKind.Region, root));
        if (kind.Options is null)
        {
            using SharedValue<string> value = SharedValue.Create(HostileKind.Region, new StringPayload(), HostileKind.ValueOptions(root));
            using SharedValueWriter<string> writer = value.CreateWriter();
            writer.Write("as ever");
            Assert.Equal("as ever", value.Read(ChildProcess.Patience));
            return;
        }

        using ShmByteChannel channel = ShmByteChannel.Create(HostileKind.Region, kind.Options(root));
        using ByteConsumer consumer = channel.CreateConsumer();
        using ByteProducer producer = channel.CreateProducer();
        for (int i = 0; i < 50; i++) // fits: a group that the channel requires has no member to make room
        {
            producer.Write(BitConverter.GetBytes(i), ChildProcess.Patience);
            Assert.Equal(i, BitConverter.ToInt32(consumer.Read(ChildProcess.Patience).Payload));
        }
    }
}
