// Opens malformed regions by every public way, and uses what opened. Each case follows from (seed, number).

using System.Globalization;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.ProcessTests.Hostile;
using ShmIpc.Serialization;
using ShmIpc.Values;

namespace ShmIpc.ProcessTests.Roles;

internal static class FuzzRole
{
    private const int StepsOfAUser = 6;
    private const string Systematic = "one word, or the length";

    /// <summary>What can be done to each word of a header, and the lengths that a file is cut to; of a channel, and of a shared
    /// value.</summary>
    public static int SystematicCases => 2 * RegionMutator.SystematicWays;

    public static void Run(RoleArguments arguments)
    {
        Linux.DisableCoreDump();
        string root = arguments.Text("root");
        string path = Path.Combine(root, HostileKind.Region);
        bool isOnDisk = arguments.Number("disk") != 0;
        int seed = (int)arguments.Number("seed");
        long first = arguments.Number("first");
        long end = first + arguments.Number("cases");
        bool isSystematic = arguments.Number("systematic") != 0;
        using ProgressFile progress = new(arguments.Text("progress"));
        IReadOnlyList<HostileKind> kinds = isOnDisk ? [HostileKind.OnDisk] : HostileKind.InMemory;
        RegionCorpus corpus = new(root, kinds);
        Outcomes outcomes = new();
        Dictionary<string, (long Cases, long Opened)> ways = [];
        for (long number = first; number < end; number++)
        {
            progress[0] = number; // what a crash is found by
            Random random = new(HostileRoles.HashOf(seed, number));
            HostileKind kind = isSystematic ? kinds[number % 2 == 0 ? 0 : ^1] : kinds[random.Next(kinds.Count)];
            int way = random.Next(RegionMutator.Ways.Length);
            string name = isSystematic ? Systematic : RegionMutator.Ways[way].Name;
            outcomes.Case = string.Create(CultureInfo.InvariantCulture, $"seed={seed} case={number} ({kind}, {name})");
            Put(path, isSystematic
                ? RegionMutator.Systematic(corpus[kind], (int)(number / 2))
                : RegionMutator.Mutate(corpus[kind], way, corpus, random));
            bool isOpened = Open(root, kind, random, outcomes);
            ways.TryAdd(name, default);
            ways[name] = (ways[name].Cases + 1, ways[name].Opened + (isOpened ? 1 : 0));
            if (random.Next(16) == 0)
            {
                outcomes.Try("Exists", () => ShmChannel.Exists(HostileKind.Region, root));
                outcomes.Try("Delete", () => GC.KeepAlive(
                    kind.Options is null ? SharedValue.Delete(HostileKind.Region, root) : ShmChannel.Delete(HostileKind.Region, root)));
            }
        }

        File.Delete(path);
        string byWay = string.Join(';', ways.Select(pair =>
            string.Create(CultureInfo.InvariantCulture, $"{pair.Key.Replace(' ', '_')}:{pair.Value.Cases}:{pair.Value.Opened}")));
        RoleArguments.Say(string.Create(CultureInfo.InvariantCulture, $"done cases={end - first} ways={byWay} {outcomes}"));
    }

    /// <summary>The same file again and again, as long as it does not become shorter: for a moment after an await the library still has the
    /// last one mapped, and what is truncated under a mapping is gone.</summary>
    private static void Put(string path, byte[] bytes)
    {
        if (new FileInfo(path) is { Exists: true } before && before.Length > bytes.Length)
        {
            File.Delete(path);
        }

        using FileStream file = new(path, new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.ReadWrite,
            BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        file.SetLength(bytes.Length);
        file.Write(bytes);
    }

    private static bool Open(string root, HostileKind kind, Random random, Outcomes outcomes)
    {
        ShmChannelOptions options = HostileKind.Opening(root) with { Disk = UntouchedDisk.Instance };
        int way = random.Next(10);
        if (way < 2)
        {
            bool isOpened = false;
            using HostileUser user = way == 0
                ? new HostileByteUser(options, random, outcomes)
                : kind.Use(root, random, outcomes);
            isOpened = user.IsOpen;
            for (int step = 0; isOpened && step < StepsOfAUser; step++)
            {
                user.Step();
            }

            return isOpened;
        }

        string operation = kind.Options is null ? $"open a value, way {way}" : $"open a channel, way {way}";
        return outcomes.Try(operation, () => Use(root, kind, options, way));
    }

    private static void Use(string root, HostileKind kind, ShmChannelOptions options, int way)
    {
        if (kind.Options is null || way == 2)
        {
            SharedValueOptions opening = new() { Root = root };
            using SharedValue<string> value = way < 6
                ? SharedValue.Open(HostileKind.Region, new StringPayload(), opening)
                : SharedValue.CreateOrOpen(HostileKind.Region, new StringPayload(), HostileKind.ValueOptions(root));
            using SharedValueWriter<string> writer = value.CreateWriter();
            writer.Write("x");
            value.TryRead(out _);
        }
        else if (kind.Name == "typed" || way == 3)
        {
            using ShmChannel<string[]> channel = way < 6
                ? ShmChannel.Open<string[]>(HostileKind.Region, options)
                : ShmChannel.CreateOrOpen<string[]>(HostileKind.Region, options);
            using Consumer<string[]> consumer = channel.CreateConsumer();
            using Producer<string[]> producer = channel.CreateProducer();
            producer.TryWrite(["x"]);
            consumer.TryRead(out _);
        }
        else
        {
            using ShmByteChannel channel = way < 6
                ? ShmByteChannel.Open(HostileKind.Region, options)
                : ShmByteChannel.CreateOrOpen(HostileKind.Region, way == 9 ? options : kind.Options(root) with { Disk = options.Disk });
            using ByteConsumer consumer = channel.CreateConsumer();
            using ByteProducer producer = channel.CreateProducer();
            producer.TryWrite("x"u8);
            consumer.TryRead(out _);
            GC.KeepAlive(channel.Groups);
        }
    }
}
