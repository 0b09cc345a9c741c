using Microsoft.Win32.SafeHandles;
using ShmIpc.Regions;
using ShmIpc.Rings;
using ShmIpc.Waiting;

namespace ShmIpc.Channels;

/// <summary>How a channel is created, and what is expected of one that is opened.</summary>
/// <remarks>The geometry (capacity and limits) and what happens when it is full are fixed when the channel is created. An opener that sets
/// one of these options gets an exception when the channel has another value; one that leaves it null takes the channel as it
/// is.</remarks>
public sealed record ShmChannelOptions
{
    internal const long DefaultLaneCapacityBytes = 1024 * 1024;
    internal const int DefaultMaxProducers = 16;
    internal const int DefaultMaxGroups = 64;
    internal const int DefaultMaxParticipants = 256;

    /// <summary>Bytes of ring buffer for each producer: a power of two from 4 KiB to 512 MiB. Null: 1 MiB when the channel is created.
    /// The largest message is half of it, less 16 bytes (24 with <see cref="Checksums"/>).</summary>
    /// <remarks>Shared memory is taken when a producer first uses a lane: a channel with two producers takes two lanes.</remarks>
    public long? LaneCapacityBytes { get; set; }

    /// <summary>Most producers at a time, 1 to 32. Null: 16 when the channel is created.</summary>
    public int? MaxProducers { get; set; }

    /// <summary>Most groups at a time, 1 to 64: named ones, and each consumer without a named group. Null: 64 when the channel is
    /// created.</summary>
    public int? MaxGroups { get; set; }

    /// <summary>Most producers and consumers together, 2 to 256. Null: 256 when the channel is created.</summary>
    public int? MaxParticipants { get; set; }

    /// <summary>Durable groups that the channel has from the start, so that nothing is overwritten before their first member comes. Null:
    /// none. An opener that names some gets an exception when the channel lacks one, or has it as another kind.</summary>
    /// <remarks>Without any group, the oldest messages are overwritten when the channel is full. Members join with
    /// <see cref="ConsumerOptions.Durable"/> and the same kind.</remarks>
    public IReadOnlyList<RequiredGroup>? RequiredGroups { get; set; }

    /// <summary>What happens to a message for which there is no room. Null: <see cref="ShmFullMode.Wait"/> when the channel is
    /// created.</summary>
    public ShmFullMode? FullMode { get; set; }

    /// <summary>How long a consumer may leave a producer without room before it is thrown out: 1 ms to 24 days, in whole milliseconds.
    /// Null: for ever, when the channel is created.</summary>
    /// <remarks>A consumer that is alive, but stopped or stuck, holds producers up as long as it likes; with this, a producer that has
    /// waited so long without seeing it move goes on without it, and its next operation is a <see cref="ShmEvictedException"/>. The time
    /// must be longer than the slowest handling of a message, a debugger's break and a garbage collection. Consumers of such a channel
    /// copy each message before they decode it. Of no effect with <see cref="ShmFullMode.DropOldest"/>, where nobody waits.</remarks>
    public TimeSpan? EvictAfter { get; set; }

    /// <summary>When messages become durable, on a <see cref="Root"/> on a disk. Null: <see cref="ShmFlushMode.None"/> when the channel is
    /// created.</summary>
    /// <remarks>Sync: a write waits for the disk, 0.1 to 10 ms as a rule. Async: a power cut may cost the last
    /// <see cref="FlushPeriod"/>. On tmpfs (/dev/shm) both are refused.</remarks>
    public ShmFlushMode? Flush { get; set; }

    /// <summary>How often an Async channel is flushed: 1 ms to 1 hour, in whole milliseconds. Null: 100 ms when the channel is
    /// created.</summary>
    public TimeSpan? FlushPeriod { get; set; }

    /// <summary>True: every record carries a checksum, 8 bytes, by which whole messages are told after a power cut. Null: when the channel
    /// is created, true for Async and Sync (which cannot do without), else false.</summary>
    /// <remarks>A channel on a disk that has none is empty after the machine was restarted.</remarks>
    public bool? Checksums { get; set; }

    /// <summary>Directory that holds the channel. Null: the environment variable <c>SHMIPC_ROOT</c>, else <c>/dev/shm/shmipc-UID</c>.
    /// </summary>
    /// <remarks>A directory of mode 2770 is shared by its group; any other must belong to this user alone.</remarks>
    public string? Root { get; set; }

    /// <summary>How this process waits. Not part of the channel: each side chooses its own. Default: <see cref="WaitStrategy.Adaptive"/>.
    /// </summary>
    public WaitStrategy WaitStrategy { get; set; } = WaitStrategy.Adaptive;

    /// <summary>True promises that each producer made here is used for one operation at a time (a pending await counts as one); a second
    /// one at the same time is an exception. Saves some nanoseconds a message where threads take turns; one that is alone pays nothing.
    /// Default: false, any thread may write at any time.</summary>
    public bool SingleWriter { get; set; }

    /// <summary>True promises that each consumer made here is used for one operation at a time (a pending await counts as one); a second
    /// one at the same time is an exception. Saves some nanoseconds a message where threads take turns; one that is alone pays nothing.
    /// Default: false, any thread may read at any time.</summary>
    public bool SingleReader { get; set; }

    /// <summary>A memory file (<see cref="RegionFile.NewMemory"/>) that holds the channel, in place of a name in a root. Create makes the
    /// channel in it, which takes an empty one; everything else opens it. It stays the caller's: the channel opens it anew for
    /// itself.</summary>
    internal SafeFileHandle? Memory { get; set; }

    /// <summary>What makes ranges durable; tests have another one.</summary>
    internal IRegionDisk Disk { get; set; } = KernelDisk.Instance;

    /// <summary>Checks every option against its range. Opening a channel does so too.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range; the message holds its name, its value and the
    /// range.</exception>
    public void Validate()
    {
        if (LaneCapacityBytes is { } capacity && !ChannelGeometry.IsCapacity(capacity))
        {
            throw new ArgumentOutOfRangeException(
                nameof(LaneCapacityBytes),
                capacity,
                $"LaneCapacityBytes must be a power of two from {LaneLayout.MinCapacityBytes} to {LaneLayout.MaxCapacityBytes} and "
                + "a multiple of the page size.");
        }

        Check(nameof(MaxProducers), MaxProducers, 1, LaneLayout.MaxLanes);
        Check(nameof(MaxGroups), MaxGroups, 1, ChannelLayout.MaxGroups);
        Check(nameof(MaxParticipants), MaxParticipants, 2, ParticipantLayout.MaxSlots);
        foreach (RequiredGroup group in RequiredGroups ?? [])
        {
            new ConsumerOptions { Group = group.Name, Kind = group.Kind, Durable = true }.Validate();
        }

        if (FullMode is { } mode && !Enum.IsDefined(mode))
        {
            throw new ArgumentOutOfRangeException(nameof(FullMode), mode, "FullMode must be Wait, DropWrite or DropOldest.");
        }

        if (FullMode == ShmFullMode.DropOldest && RequiredGroups?.Any(group => group.Kind == GroupKind.Shared) == true)
        {
            throw new ArgumentException(
                "RequiredGroups asks for a shared group, and FullMode for DropOldest: a member holds the message that it works on, and "
                + "DropOldest overwrites it. Make the group exclusive, or choose Wait or DropWrite.",
                nameof(RequiredGroups));
        }

        if (EvictAfter is { TotalMilliseconds: < 1 or > ChannelSettings.MaxEvictAfterMs })
        {
            throw new ArgumentOutOfRangeException(
                nameof(EvictAfter),
                EvictAfter,
                $"EvictAfter must be from 1 ms to {TimeSpan.FromMilliseconds(ChannelSettings.MaxEvictAfterMs)}, or null for never.");
        }

        PersistenceSettings.Validate(this);
        if (!Enum.IsDefined(WaitStrategy))
        {
            throw new ArgumentOutOfRangeException(nameof(WaitStrategy), WaitStrategy, "WaitStrategy must be Adaptive, BusySpin or Park.");
        }

        static void Check(string option, int? value, int least, int most)
        {
            if (value is { } number && (number < least || number > most))
            {
                throw new ArgumentOutOfRangeException(option, number, $"{option} must be from {least} to {most}.");
            }
        }
    }
}
