// A byte channel in a scratch directory, with a progress file beside it: what nearly every test starts from.

using ShmIpc.Channels;
using ShmIpc.Waiting;

namespace ShmIpc.ProcessTests.Harness;

internal sealed class TestChannel : IDisposable
{
    public const string Name = "stream";
    private readonly ScratchRoot _root;
    private readonly ScratchRoot _aside = new();
    private readonly List<ChildProcess> _children = [];

    /// <param name="laneCapacityBytes">As the option.</param>
    /// <param name="maxProducers">As the option.</param>
    /// <param name="maxGroups">As the option.</param>
    /// <param name="wait">As the option.</param>
    /// <param name="fullMode">As the option.</param>
    /// <param name="evictAfter">As the option.</param>
    /// <param name="flush">Null: in memory. Else on a disk, with checksums.</param>
    public TestChannel(
        long laneCapacityBytes,
        int maxProducers = 1,
        int? maxGroups = null,
        WaitStrategy wait = WaitStrategy.Adaptive,
        ShmFullMode? fullMode = null,
        TimeSpan? evictAfter = null,
        ShmFlushMode? flush = null)
    {
        _root = new ScratchRoot(flush is null ? ScratchRoot.Memory : ScratchRoot.Disk);
        Options = new ShmChannelOptions
        {
            Root = _root.Path,
            LaneCapacityBytes = laneCapacityBytes,
            MaxProducers = maxProducers,
            MaxGroups = maxGroups,
            WaitStrategy = wait,
            FullMode = fullMode,
            EvictAfter = evictAfter,
            Flush = flush,
            Checksums = flush is null ? null : true,
        };
        Channel = ShmByteChannel.Create(Name, Options);
        Progress = new ProgressFile(_aside.FileOf("progress"));
    }

    public string Root => _root.Path;

    public ShmChannelOptions Options { get; }

    public ShmByteChannel Channel { get; }

    public ProgressFile Progress { get; }

    /// <summary>Starts a child on this channel, ready; it ends with the channel at the latest.</summary>
    public ChildProcess Start(string role, params IEnumerable<(string Key, object Value)> arguments)
    {
        ChildProcess child = ChildProcess.StartReady(
            role, [("root", Root), ("channel", Name), ("progress", Progress.Path), ("wait", Options.WaitStrategy), .. arguments]);
        _children.Add(child);
        return child;
    }

    /// <summary>A producer child, ready to start when told "go".</summary>
    public ChildProcess StartWriter(long id, string mode = "copy", long count = long.MaxValue - 1000) =>
        Start("stream-writer", ("id", id), ("mode", mode), ("count", count));

    /// <summary>A consumer child that counts what it checked.</summary>
    public ChildProcess StartReader(int counter, bool isLate = false) =>
        Start("stream-reader", ("counter", counter), ("late", isLate ? 1 : 0));

    /// <summary>Waits until a progress counter has stopped moving because the children sleep, and returns it: a producer has filled its
    /// lane, or a consumer has read everything.</summary>
    public long Settled(int counter)
    {
        const int Looks = 4; // they may sleep for another reason once
        long last = -1;
        int same = 0;
        Eventually.True(
            () =>
            {
                long before = last;
                last = Progress[counter];
                same = before == last && _children.All(child => child.IsAsleep) ? same + 1 : 0;
                Thread.Sleep(30);
                return same == Looks;
            },
            "the counter comes to rest");
        return last;
    }

    public void Dispose()
    {
        foreach (ChildProcess child in _children)
        {
            child.Dispose();
        }

        Channel.Dispose();
        Progress.Dispose();
        _aside.Dispose();
        _root.Dispose();
    }
}
