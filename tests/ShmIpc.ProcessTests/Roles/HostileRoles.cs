// Who scribbles, and who lives beside that: in one process, in many quick rounds that a seed repeats; and in several, without pause.

using System.Diagnostics;
using System.Globalization;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.ProcessTests.Hostile;

namespace ShmIpc.ProcessTests.Roles;

internal static class HostileRoles
{
    private const int StepsBetween = 6;

    /// <summary>Rounds of: a sound region, somebody at work in it, words overwritten, further work, everything disposed.</summary>
    public static void Rounds(RoleArguments arguments)
    {
        Linux.DisableCoreDump();
        string root = arguments.Text("root");
        HostileKind kind = HostileKind.Named(arguments.Text("kind"));
        int seed = (int)arguments.Number("seed");
        long first = arguments.Number("first");
        long end = first + arguments.Number("rounds");
        string path = Path.Combine(root, HostileKind.Region);
        Outcomes outcomes = new();
        using ProgressFile progress = new(arguments.Text("progress"));
        RegionImage? image = null;
        Scribbler scribbler = null!;
        long words = 0;
        for (long round = first; round < end; round++)
        {
            outcomes.Case = string.Create(CultureInfo.InvariantCulture, $"kind={kind} seed={seed} round={round}");
            progress[0] = round; // what a crash is found by
            if (!File.Exists(path)) // the first round, and when somebody believed that the region was half deleted
            {
                image?.Dispose();
                kind.Leave(root);
                image = new RegionImage(path);
                scribbler = new Scribbler(image, deletes: true);
            }

            image!.Restore();
            Random random = new(HashOf(seed, round));
            using HostileUser user = kind.Use(root, random, outcomes);
            for (int times = random.Next(1, 5); times > 0; times--)
            {
                int count = random.Next(1, 9);
                Steps(user, random.Next(StepsBetween));
                scribbler.Scribble(random, count);
                Steps(user, random.Next(2 * StepsBetween));
                words += count;
            }
        }

        image?.Dispose();
        RoleArguments.Say(string.Create(CultureInfo.InvariantCulture, $"done rounds={end - first} words={words} {outcomes}"));
    }

    /// <summary>Overwrites without pause, until told to stop. Now and then it puts everything back as it was at first: where nothing works
    /// any more, nothing is tried either.</summary>
    public static void Scribble(RoleArguments arguments)
    {
        using RegionImage image = new(Path.Combine(arguments.Text("root"), HostileKind.Region));
        Scribbler scribbler = new(image, deletes: false);
        Random random = new((int)arguments.Number("seed"));
        RoleArguments.Say("ready");
        RoleArguments.Await("go");
        Task stop = Task.Run(() => RoleArguments.Await("stop"));
        for (int round = 1; !stop.IsCompleted; round++)
        {
            scribbler.Scribble(random, random.Next(1, 30));
            if (random.Next(8) != 0)
            {
                image.RestoreHeader(); // it is only read by those who open the region, and then hardly anybody could
            }

            if (random.Next(3) == 0)
            {
                Thread.SpinWait(random.Next(20_000));
            }

            if (random.Next(40) == 0)
            {
                image.Restore();
                Thread.Sleep(random.Next(3));
            }
        }

        stop.GetAwaiter().GetResult();
        RoleArguments.Say(string.Create(CultureInfo.InvariantCulture, $"done words={scribbler.Written}"));
    }

    /// <summary>Works without pause, until told to stop.</summary>
    public static void Use(RoleArguments arguments)
    {
        Linux.DisableCoreDump();
        HostileKind kind = HostileKind.Named(arguments.Text("kind"));
        int seed = (int)arguments.Number("seed");
        Outcomes outcomes = new() { Case = string.Create(CultureInfo.InvariantCulture, $"kind={kind} seed={seed}") };
        Random random = new(seed);
        RoleArguments.Say("ready");
        RoleArguments.Await("go");
        Task stop = Task.Run(() => RoleArguments.Await("stop"));
        using ProgressFile progress = new(arguments.Text("progress"));
        int counter = (int)arguments.Number("counter");
        long started = Stopwatch.GetTimestamp();
        using (HostileUser user = kind.Use(arguments.Text("root"), random, outcomes))
        {
            while (!stop.IsCompleted)
            {
                user.Step();
                progress[counter]++;
            }
        }

        stop.GetAwaiter().GetResult();
        RoleArguments.Say(string.Create(
            CultureInfo.InvariantCulture, $"done seconds={Stopwatch.GetElapsedTime(started).TotalSeconds:F0} {outcomes}"));
    }

    private static void Steps(HostileUser user, int steps)
    {
        for (; steps > 0; steps--)
        {
            user.Step();
        }
    }

    /// <summary>The seed of one round or case of a campaign.</summary>
    public static int HashOf(int seed, long number) =>
        unchecked((int)(((uint)seed * 0x9E37_79B1UL) ^ ((ulong)number * 0x9E37_79B9_7F4A_7C15UL >> 29)));
}
