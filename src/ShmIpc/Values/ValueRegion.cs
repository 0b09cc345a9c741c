// An attachment to a shared value: its region, its cell, and who may write there. The SharedValue<T>, its writers and its pending waits
// each hold a reference; the memory is unmapped when the last one is gone.

using ShmIpc.Interop;
using ShmIpc.Memory;
using ShmIpc.Regions;
using ShmIpc.Waiting;

namespace ShmIpc.Values;

internal sealed class ValueRegion
{
    private const int MaxTakeAttempts = 100;
    private readonly RegionFile _region;
    private readonly HomeProcess _home = HomeProcess.Current();

    private ValueRegion(RegionFile region, SharedValueOptions options)
    {
        _region = region;
        Options = options;
        Geometry = ValueGeometry.FromHeader(region.Header);
        Cell = new ValueCell(region.Span(SectionKind.Value), Geometry.MaxValueBytes);
        Readers = WaitingRoom.ForReaders(region.Span(SectionKind.Doorbells));
    }

    public string Name => _region.Name;

    /// <summary>False in a forked child of the process that attached.</summary>
    public bool IsAtHome => _home.IsHere;

    public SharedValueOptions Options { get; }

    public ValueGeometry Geometry { get; }

    public ValueCell Cell { get; }

    public ParticipantTable Participants => _region.Participants;

    /// <summary>Where those sleep who wait for a change.</summary>
    public WaitingRoom Readers { get; }

    /// <summary>True when a living process holds the writer's place.</summary>
    public bool HasWriter => Participants.IsAlive(new Stamp(Atomics.Acquire(ref Cell.Owner)));

    public static ValueRegion Create(string name, string payloadFormat, ulong payloadSchema, SharedValueOptions? options)
    {
        options = Checked(options, payloadFormat);
        RegionBlueprint blueprint = Blueprint(options, payloadFormat, payloadSchema);
        return new(RegionFile.Create(name, options.Root, blueprint, Initialize, Check(options, payloadFormat, payloadSchema)), options);
    }

    public static ValueRegion Open(string name, string payloadFormat, ulong payloadSchema, SharedValueOptions? options)
    {
        options = Checked(options, payloadFormat);
        return new(RegionFile.Open(name, options.Root, Check(options, payloadFormat, payloadSchema)), options);
    }

    public static ValueRegion CreateOrOpen(string name, string payloadFormat, ulong payloadSchema, SharedValueOptions? options)
    {
        options = Checked(options, payloadFormat);
        RegionFile region = RegionFile.CreateOrOpen(
            name,
            options.Root,
            () => Blueprint(options, payloadFormat, payloadSchema),
            Initialize,
            Check(options, payloadFormat, payloadSchema));
        return new(region, options);
    }

    /// <summary>Joins as the writer, in the place of nobody or of a dead one.</summary>
    /// <exception cref="ShmLimitException">A living writer holds the place, or no participant's slot is free.</exception>
    public Stamp TakeWriter()
    {
        Stamp stamp = Participants.Join(ParticipantRole.Producer);
        for (int attempt = 0; attempt < MaxTakeAttempts; attempt++)
        {
            ulong holder = Atomics.Acquire(ref Cell.Owner);
            if (holder != 0 && Participants.IsAlive(new Stamp(holder)))
            {
                Participants.Leave(stamp);
                throw new ShmLimitException(
                    $"The shared value {Name} has a writer already: process {Participants.ProcessId(new Stamp(holder))}. There is one at a "
                    + "time; dispose that writer, or wait until its process has ended.");
            }

            if (Atomics.CompareExchange(ref Cell.Owner, holder, stamp.Value))
            {
                return stamp;
            }
        }

        Participants.Leave(stamp);
        throw new ShmLimitException($"The writer's place of the shared value {Name} changes hands without pause. Try again later.");
    }

    /// <summary>Gives the writer's place back.</summary>
    public void GiveBackWriter(Stamp stamp)
    {
        Atomics.CompareExchange(ref Cell.Owner, stamp.Value, 0);
        Participants.Leave(stamp);
    }

    /// <summary>Wakes those who wait for a change. Call it after a write. In a deleted region everybody counts as asleep.</summary>
    /// <exception cref="ShmRegionDeletedException">Somebody deleted the region.</exception>
    public void WakeReaders()
    {
        if (Readers.AnyParked)
        {
            ThrowIfDeleted();
            Readers.WakeAll();
        }
    }

    /// <exception cref="ShmForkedProcessException">This is a forked child of the process that attached.</exception>
    public void ThrowIfForked()
    {
        if (!IsAtHome)
        {
            _home.ThrowForked($"shared value {Name}");
        }
    }

    /// <inheritdoc cref="RegionFile.ThrowIfDeleted"/>
    public void ThrowIfDeleted() => _region.ThrowIfDeleted();

    /// <inheritdoc cref="RegionFile.AddReference"/>
    public void AddReference() => _region.AddReference();

    /// <inheritdoc cref="RegionFile.ReleaseReference"/>
    public void ReleaseReference() => _region.ReleaseReference();

    private static SharedValueOptions Checked(SharedValueOptions? options, string payloadFormat)
    {
        LinuxPlatform.Require();
        options ??= new SharedValueOptions();
        options.Validate();
        RegionHeader.CheckFormat(payloadFormat);
        return options;
    }

    private static RegionBlueprint Blueprint(SharedValueOptions options, string payloadFormat, ulong payloadSchema) =>
        ValueLayout.Blueprint(ValueGeometry.FromOptions(options), payloadFormat, payloadSchema);

    private static Action<RegionHeader> Check(SharedValueOptions options, string payloadFormat, ulong payloadSchema) => header =>
    {
        header.Expect(RegionKind.Value, payloadFormat, payloadSchema);
        ValueGeometry.FromHeader(header).Expect(options, header.Path);
    };

    // A new region is all zeros: nobody writes, and there is no value.
    private static void Initialize(MappedSpan control)
    {
    }
}
