// The control part of a region as a peer that keeps to no rule sees it: every word, for reading and for writing.

using Microsoft.Win32.SafeHandles;
using ShmIpc.Channels;
using ShmIpc.Memory;
using ShmIpc.Regions;
using ShmIpc.Rings;

namespace ShmIpc.Tests.Regions;

internal sealed class SharedWords : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly MemoryMapping _control;

    public SharedWords(string path)
    {
        _file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        Header = RegionHeader.Read(_file, RandomAccess.GetLength(_file), path);
        _control = MemoryMapping.MapFile(_file, 0, Header.ControlBytes);
    }

    public RegionHeader Header { get; }

    public ref ulong ActiveGroups => ref Word(SectionKind.ChannelControl, ChannelLayout.ActiveOffset);

    public ref ulong GroupState(int group) =>
        ref Word(SectionKind.Groups, (group * ChannelLayout.GroupBytes) + ChannelLayout.GroupStateOffset);

    public ref ulong Cursor(int lane, int group) =>
        ref Word(SectionKind.Cursors, ChannelLayout.CursorOffset(lane, group, Header.Section(SectionKind.Groups).Count));

    public ref ulong Epoch(int slot) =>
        ref Word(SectionKind.Participants, (slot * ParticipantLayout.SlotBytes) + ParticipantLayout.EpochOffset);

    public ref ulong Intent(int slot, int number) => ref Word(
        SectionKind.Participants, (slot * ParticipantLayout.SlotBytes) + ParticipantLayout.IntentsOffset + (number * sizeof(ulong)));

    public LaneControl Lane(int lane) => new(_control.Whole.Slice(
        Header.Section(SectionKind.LaneControls).Offset + ((long)lane * LaneLayout.ControlBytes), LaneLayout.ControlBytes));

    public ref ulong Word(SectionKind section, long offset) => ref _control.Whole.UInt64(Header.Section(section).Offset + offset);

    public void Dispose()
    {
        _control.Dispose();
        _file.Dispose();
    }
}
