// One entry of the groups section as words with names. It decides nothing; GroupTable does.

using System.Text;
using ShmIpc.Memory;
using ShmIpc.Regions;

namespace ShmIpc.Channels;

internal readonly struct GroupEntry(MappedSpan entry)
{
    public const ulong Free = 0;
    public const ulong Joining = 1;
    public const ulong Active = 2;
    public const ulong Retiring = 3;
    private readonly MappedSpan _entry = entry;

    public ref ulong State => ref _entry.UInt64(ChannelLayout.GroupStateOffset);

    public GroupKind Kind => (GroupKind)Atomics.Acquire(ref _entry.UInt32(ChannelLayout.GroupKindOffset));

    public bool IsDurable => HasFlag(ChannelLayout.GroupDurableFlag);

    /// <summary>The group has been active: its maker finished.</summary>
    public bool IsComplete => HasFlag(ChannelLayout.GroupCompleteFlag);

    /// <summary>Null for a consumer's own group.</summary>
    public string? Name
    {
        get
        {
            Span<byte> name = stackalloc byte[ChannelLayout.GroupNameBytes];
            NameField.CopyTo(name); // decoding looks twice, and a peer may write in between
            int bytes = Math.Min((int)name[0], ConsumerOptions.MaxNameBytes);
            return bytes == 0 ? null : Encoding.UTF8.GetString(name.Slice(1, bytes));
        }
    }

    private Span<byte> NameField => _entry.Bytes(ChannelLayout.GroupNameOffset, ChannelLayout.GroupNameBytes);

    private ref uint Flags => ref _entry.UInt32(ChannelLayout.GroupFlagsOffset);

    public static ulong Pack(ulong state, Stamp stamp) => state | (stamp.Value << 2);

    public static ulong Phase(ulong state) => state & 3;

    public static Stamp Holder(ulong state) => new(state >> 2);

    public bool Is(string name) => Name == name;

    /// <summary>Writes what does not change while the group exists.</summary>
    public void Describe(string? name, GroupKind kind, bool isDurable)
    {
        Atomics.Release(ref Flags, isDurable ? ChannelLayout.GroupDurableFlag : 0);
        Atomics.Release(ref _entry.UInt32(ChannelLayout.GroupKindOffset), (uint)kind);
        Span<byte> nameBytes = NameField;
        Atomics.Clear(nameBytes);
        CrashPoint.BeforeStore(nameBytes);
        nameBytes[0] = (byte)Encoding.UTF8.GetBytes(name ?? "", nameBytes[1..]);
    }

    public void SetComplete() => Atomics.Release(ref Flags, Flags | ChannelLayout.GroupCompleteFlag);

    private bool HasFlag(uint flag) => (Atomics.Acquire(ref Flags) & flag) != 0;
}
