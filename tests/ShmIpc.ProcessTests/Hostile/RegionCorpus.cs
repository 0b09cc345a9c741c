// Sound region files of every kind, as bytes: what malformed ones are made from.

using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Hostile;

internal sealed class RegionCorpus
{
    private readonly Dictionary<string, byte[]> _images = [];

    /// <param name="root">A directory to make them in; nothing is left there.</param>
    /// <param name="kinds">Which.</param>
    public RegionCorpus(string root, IEnumerable<HostileKind> kinds)
    {
        foreach (HostileKind kind in kinds)
        {
            kind.Leave(root);
            string path = Path.Combine(root, HostileKind.Region);
            _images[kind.Name] = File.ReadAllBytes(path);
            File.Delete(path);
        }
    }

    public byte[] this[HostileKind kind] => _images[kind.Name];

    public byte[] Any(Random random) => _images.Values.ElementAt(random.Next(_images.Count));
}
