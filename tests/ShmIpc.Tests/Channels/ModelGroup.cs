using ShmIpc.Channels;

namespace ShmIpc.Tests.Channels;

/// <summary>A group of consumers in the channel's model test. Cursors are message numbers, by lane.</summary>
internal sealed class ModelGroup(string? name, GroupKind kind, bool isDurable, int lanes)
{
    public string? Name { get; } = name;

    public GroupKind Kind { get; } = kind;

    public bool IsShared => Kind == GroupKind.Shared;

    public bool IsDurable { get; } = isDurable;

    public List<ModelMember> Members { get; } = [];

    /// <summary>The member that reads an exclusive group; null when it has left and nobody has taken over.</summary>
    public ModelMember? Active { get; set; }

    /// <summary>The cursor stands here at least: when exactly a reader gives room back is the library's freedom.</summary>
    public long[] Lower { get; } = new long[lanes];

    /// <summary>The cursor stands here at most: what is at or above was not finished with. The exact cursor of a shared group.</summary>
    public long[] Upper { get; } = new long[lanes];

    /// <summary>Exclusive: end of what was handed out and not acknowledged by members that left.</summary>
    public long[] Handed { get; } = new long[lanes];

    /// <summary>Shared: what members hold, or left.</summary>
    public List<ModelHold> Holds { get; } = [];

    public IEnumerable<ModelHold> HeldBy(ModelMember member) => Holds.Where(hold => hold.Holder == member);

    /// <summary>The position below which it holds nothing back, for certain.</summary>
    public long LowerPosition(ModelLane lane) => Math.Min(lane.PositionOf(Lower[lane.Number]), LowestHold(lane));

    /// <summary>The position from which it holds everything back, for certain.</summary>
    public long UpperPosition(ModelLane lane) => Math.Min(lane.PositionOf(Upper[lane.Number]), LowestHold(lane));

    public void SetCursor(int lane, long sequence) => Lower[lane] = Upper[lane] = sequence;

    private long LowestHold(ModelLane lane) => Holds
        .Where(hold => hold.Message.Lane == lane.Number)
        .Select(hold => hold.Message.Position)
        .DefaultIfEmpty(long.MaxValue)
        .Min();
}
