// A private root with what the region tests need around it: small channels in it, and the check that whatever is refused leaves nothing
// behind (no name, no descriptor, no mapping of anything in that root).

using ShmIpc.Channels;
using Xunit;

namespace ShmIpc.Tests.Regions;

internal sealed class RegionScene : IDisposable
{
    public const string Name = "channel";
    private readonly ScratchRoot _root = new();

    public string Root => _root.Path;

    public string File => _root.FileOf(Name);

    /// <summary>The smallest geometry: 32 KiB of region where a page has 4 KiB.</summary>
    public static ShmChannelOptions Options(string root, int maxProducers = 1, int maxGroups = 1, int maxParticipants = 2) => new()
    {
        Root = root,
        LaneCapacityBytes = Environment.SystemPageSize,
        MaxProducers = maxProducers,
        MaxGroups = maxGroups,
        MaxParticipants = maxParticipants,
    };

    /// <summary>Creates the channel, uses it once, and leaves it behind without anybody attached.</summary>
    public void CreateAbandoned(ShmChannelOptions? options = null)
    {
        using ShmByteChannel channel = ShmByteChannel.Create(Name, options ?? Options(Root));
        using ByteProducer producer = channel.CreateProducer();
        producer.Write("left behind"u8);
    }

    public ShmByteChannel Open() => ShmByteChannel.Open(Name, new ShmChannelOptions { Root = Root });

    public ShmByteChannel CreateOrOpen() => ShmByteChannel.CreateOrOpen(Name, new ShmChannelOptions { Root = Root });

    /// <summary>Whatever stands under the name is refused by every way in, with the same words, and without a trace.</summary>
    public void IsRefused<TException>(params string[] parts)
        where TException : Exception
    {
        Refused<TException>(Open, parts);
        Refused<TException>(CreateOrOpen, parts);
        Refused<ShmRegionExistsException>(() => ShmByteChannel.Create(Name, Options(Root)), File, "exists already", "CreateOrOpen");
    }

    public TException Refused<TException>(Func<IDisposable> attempt, params string[] parts)
        where TException : Exception => Refused<TException>(Root, attempt, parts);

    /// <summary>The attempt throws exactly this, says all of the parts, and leaves nothing behind.</summary>
    public static TException Refused<TException>(string root, Func<IDisposable> attempt, params string[] parts)
        where TException : Exception
    {
        string[] before = Traces(root);
        TException refused = Assert.Throws<TException>(() => attempt().Dispose());
        Assert.Equal(before, Traces(root));
        foreach (string part in parts)
        {
            Assert.Contains(part, refused.Message, StringComparison.Ordinal);
        }

        return refused;
    }

    /// <summary>Names in the root, and this process's descriptors and mappings of what is or was in it. Other tests may run
    /// beside.</summary>
    public static string[] Traces(string root)
    {
        IEnumerable<string> names = Directory.Exists(root) ? Directory.EnumerateFileSystemEntries(root) : ["(no root)"];
        IEnumerable<string> descriptors = Directory.EnumerateFileSystemEntries("/proc/self/fd")
            .Select(entry => new FileInfo(entry).LinkTarget ?? "").Where(target => target.StartsWith(root, StringComparison.Ordinal));
        IEnumerable<string> mappings = System.IO.File.ReadLines("/proc/self/maps")
            .Where(line => line.Contains(root, StringComparison.Ordinal));
        return [.. names.Order(StringComparer.Ordinal), .. descriptors.Order(StringComparer.Ordinal), .. mappings];
    }

    public void Dispose() => _root.Dispose();
}
