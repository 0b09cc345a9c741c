// A hostile peer: it knows the layout by the library's own constants, and writes into everything that a process with the same mapping may
// write. Part of it is noise; most is what a careful enemy would choose: bounds and their neighbours, other laps, other people's stamps,
// headers that look right and are not. Which words and which values follows from the seed (and from what stands in the memory).

using ShmIpc.Channels;
using ShmIpc.Memory;
using ShmIpc.Regions;
using ShmIpc.Rings;
using ShmIpc.Values;
using ShmIpc.Waiting;

namespace ShmIpc.ProcessTests.Hostile;

internal sealed class Scribbler
{
    private readonly MappedSpan _bytes;
    private readonly RegionHeader _header;
    private Random _random = new(0);
    private readonly HostileValues _values;
    private readonly List<(Action<long> Write, long[] Offsets)> _targets = [];
    private readonly bool _deletes;

    /// <param name="image">What to write to.</param>
    /// <param name="deletes">Whether it marks the region as deleted, too: then whoever opens it next takes its name away, and nothing more
    /// can be tried.</param>
    public Scribbler(RegionImage image, bool deletes)
    {
        _bytes = image.Bytes;
        _header = image.Header;
        _deletes = deletes;
        long capacityBytes = 4096;
        List<long> positions = [];
        List<long> epochs = [];
        foreach (RegionSection section in _header.Sections)
        {
            switch (section.Kind)
            {
                case SectionKind.Participants: AddParticipants(section, epochs); break;
                case SectionKind.Doorbells: AddDoorbells(section); break;
                case SectionKind.ChannelControl: AddChannelControl(section); break;
                case SectionKind.LaneControls: AddLaneControls(section, positions); break;
                case SectionKind.Groups: AddGroups(section); break;
                case SectionKind.Cursors: AddCursors(section, positions); break;
                case SectionKind.LaneData: AddLaneData(section, positions); capacityBytes = section.StrideBytes; break;
                case SectionKind.Value: AddValue(section, positions); break;
                default: break;
            }
        }

        Add(Number, [.. Enumerable.Range(0, RegionLayout.CrcOffset / 8).Select(i => i * 8L)]); // read at attach, and never again
        Add(State, RegionLayout.StateOffset);
        Add(Number, RegionLayout.OrderedInBootOffset, RegionLayout.OrderedInBootOffset + 8);
        _values = new HostileValues(_bytes, capacityBytes, positions, epochs);
    }

    /// <summary>Words written so far.</summary>
    public long Written { get; private set; }

    /// <param name="random">Where choices come from.</param>
    /// <param name="words">How many words to write.</param>
    public void Scribble(Random random, int words)
    {
        _values.Random = _random = random;
        for (int i = 0; i < words; i++)
        {
            Written++;
            if (_random.Next(20) == 0)
            {
                Put(_random.NextInt64(_bytes.LengthBytes / 8) * 8, (ulong)_random.NextInt64(long.MinValue, long.MaxValue));
                continue;
            }

            (Action<long> write, long[] offsets) = _targets[_random.Next(_targets.Count)];
            write(offsets[_random.Next(offsets.Length)]);
        }
    }

    private static IEnumerable<long> Elements(RegionSection section, int offset) =>
        Enumerable.Range(0, section.Count).Select(i => section.Offset + (i * section.StrideBytes) + offset);

    private void AddParticipants(RegionSection section, List<long> epochs)
    {
        epochs.AddRange(Elements(section, ParticipantLayout.EpochOffset));
        Add(Epoch, [.. Elements(section, ParticipantLayout.EpochOffset)]);
        Add(Number, [.. Elements(section, ParticipantLayout.ProcessIdOffset), .. Elements(section, ParticipantLayout.JoinedOffset)]);
        Add(Place, [.. Elements(section, ParticipantLayout.PlaceOffset)]);
        Add(Stamp, [.. Elements(section, ParticipantLayout.HeirOffset)]);
        Add(Intent, [.. Enumerable.Range(0, ParticipantLayout.MaxIntents)
            .SelectMany(i => Elements(section, ParticipantLayout.IntentsOffset + (i * 8)))]);
    }

    private void AddDoorbells(RegionSection section)
    {
        Add(Bits, [.. Enumerable.Range(0, DoorbellLayout.ParkedWords).SelectMany(i => new[]
        {
            section.Offset + DoorbellLayout.ParkedReadersOffset + (i * 8),
            section.Offset + DoorbellLayout.ParkedWritersOffset + (i * 8),
        })]);
        Add(Counter, [.. Enumerable.Range(0, DoorbellLayout.MaxParticipants)
            .Select(i => section.Offset + DoorbellLayout.DoorbellsOffset + ((long)i * DoorbellLayout.DoorbellStrideBytes))]);
    }

    private void AddChannelControl(RegionSection section)
    {
        Add(Counter, section.Offset + ChannelLayout.VersionOffset, section.Offset + ChannelLayout.JoinsOffset);
        Add(Counter, section.Offset + ChannelLayout.CompletionsOffset);
        Add(Bits, section.Offset + ChannelLayout.ActiveOffset, section.Offset + ChannelLayout.LaneSetOffset);
        Add(Bits, [.. Enumerable.Range(0, ChannelLayout.ClaimantsBytes / 8)
            .Select(i => section.Offset + ChannelLayout.ClaimantsOffset + (i * 8))]);
    }

    private void AddLaneControls(RegionSection section, List<long> positions)
    {
        Add(Stamp, [.. Elements(section, LaneLayout.OwnerOffset), .. Elements(section, LaneLayout.CompletionOffset)]);
        foreach (int cell in (int[])[LaneLayout.CommittedOffset, LaneLayout.FloorOffset])
        {
            // version | position, sequence | position, sequence
            long[] places = [.. Elements(section, cell + 8), .. Elements(section, cell + 24)];
            positions.AddRange(places);
            Add(Counter, [.. Elements(section, cell)]);
            Add(Position, places);
            Add(Sequence, [.. Elements(section, cell + 16), .. Elements(section, cell + 32)]);
        }

        Add(Counter, [.. Elements(section, LaneLayout.DroppedOffset), .. Elements(section, LaneLayout.JournaledOffset)]);
        Add(Number, [.. Elements(section, LaneLayout.FaultOffset), .. Elements(section, LaneLayout.FlagsOffset)]);
        Add(Text, [.. Elements(section, LaneLayout.ErrorTypeOffset), .. Elements(section, LaneLayout.ErrorMessageOffset)]);
    }

    private void AddGroups(RegionSection section)
    {
        Add(GroupState, [.. Elements(section, ChannelLayout.GroupStateOffset)]);
        Add(KindAndFlags, [.. Elements(section, ChannelLayout.GroupKindOffset)]);
        Add(Text, [.. Elements(section, ChannelLayout.GroupNameOffset)]);
    }

    private void AddCursors(RegionSection section, List<long> positions)
    {
        positions.AddRange(Elements(section, 0));
        Add(Position, [.. Elements(section, 0)]);
        Add(Position, [.. Elements(section, LaneGate.HandedOffset), .. Elements(section, LaneGate.FailoverPositionOffset)]);
        Add(Counter, [.. Elements(section, LaneGate.FailoversOffset)]);
    }

    private void AddLaneData(RegionSection section, List<long> positions)
    {
        for (int twice = 0; twice < 3; twice++) // most of what a reader acts upon is here
        {
            Add(_ => RecordAtSomePosition(section, positions), 0);
            Add(RecordHeaderAt, [.. Enumerable.Range(0, (int)(section.LengthBytes / 8)).Select(i => section.Offset + (i * 8L))]);
        }
    }

    private void AddValue(RegionSection section, List<long> positions)
    {
        long bufferBytes = (section.LengthBytes - ValueLayout.BuffersOffset) / ValueLayout.Buffers;
        long[] buffers = [.. Enumerable.Range(0, ValueLayout.Buffers)
            .Select(i => section.Offset + ValueLayout.BuffersOffset + (i * bufferBytes))];
        positions.Add(section.Offset + ValueLayout.VersionOffset);
        Add(Stamp, section.Offset + ValueLayout.OwnerOffset);
        Add(Sequence, section.Offset + ValueLayout.VersionOffset);
        Add(Sequence, [.. buffers.Select(buffer => buffer + ValueLayout.BufferVersionOffset)]);
        Add(Number, [.. buffers.Select(buffer => buffer + ValueLayout.BufferLengthOffset)]);
        Add(Number, [.. buffers.Select(buffer => buffer + ValueLayout.BufferValueOffset)]);
    }

    private void Add(Action<long> write, params long[] offsets) => _targets.Add((write, offsets));

    private void Put(long offset, ulong value) => Atomics.Release(ref _bytes.UInt64(offset), value);

    private void Number(long offset) => Put(offset, _values.Number());

    private void Position(long offset) => Put(offset, (ulong)_values.Position());

    private void Sequence(long offset) => Put(offset, _values.Near(_bytes.UInt64(offset)));

    private void Counter(long offset) => Put(offset, _values.Near(_bytes.UInt64(offset)));

    private void Stamp(long offset) => Put(offset, _values.Stamp());

    private void Intent(long offset) => Put(offset, _values.Intent());

    private void Epoch(long offset) => Put(offset, _values.Near(_bytes.UInt64(offset)));

    private void Place(long offset) => Put(offset, _random.Next(3) == 0 ? _values.Number() : (ulong)_random.Next(67));

    private void Bits(long offset) => Put(offset, _random.Next(2) == 0
        ? _bytes.UInt64(offset) ^ (1UL << _random.Next(64))
        : _random.Next(2) == 0 ? _values.Number() : (ulong)_random.NextInt64());

    private void KindAndFlags(long offset) => Put(offset, ((ulong)_random.Next(5) << 32) | (uint)_random.Next(4));

    private void GroupState(long offset)
    {
        ulong phase = (ulong)_random.Next(4);
        bool isLasting = phase is 1 or 3 && _random.Next(16) == 0; // held by somebody living: others wait for 5 seconds
        Put(offset, phase | ((phase == 2 || isLasting ? _values.Stamp() : _values.DeadStamp()) << 2));
    }

    private void State(long offset)
    {
        if (_random.Next(8) == 0)
        {
            uint state = _random.Next(3) == 0 ? (uint)_random.Next() : (uint)_random.Next(4);
            Atomics.Release(ref _bytes.UInt32(offset), state == RegionLayout.StateDeleted && !_deletes ? 0 : state);
        }
    }

    private void Text(long offset)
    {
        Span<byte> field = _bytes.Bytes(offset, 64);
        _random.NextBytes(field);
        field[0] = (byte)_random.Next(256);
    }

    private void RecordHeaderAt(long offset) => Put(offset, _values.Record(_bytes.UInt64(offset)));

    /// <summary>Where somebody is going to look: at a position that stands somewhere, or a record or two behind it.</summary>
    private void RecordAtSomePosition(RegionSection section, List<long> positions)
    {
        long lane = section.Offset + (_random.Next(section.Count) * section.StrideBytes);
        long position = (long)_bytes.UInt64(positions[_random.Next(positions.Count)]);
        for (int records = _random.Next(3); records > 0; records--)
        {
            position += RecordHeader.RecordBytes(0, RecordHeader.PayloadBytes(_bytes.UInt64(At(position))) % section.StrideBytes);
        }

        RecordHeaderAt(At(position));

        long At(long place) => lane + (place & (section.StrideBytes - 8));
    }
}
