// How consumers and observers come and go, and what the listing of the groups says.

using ShmIpc.Channels;
using Xunit;

namespace ShmIpc.Tests.Channels;

internal sealed partial class ChannelModel
{
    private static readonly string[] _names = ["exclusive", "lasting", "shared", "lasting shared"];

    private void CreateConsumer(int who, int choice)
    {
        string? name = who % 6 < _names.Length ? _names[who % 6] : null;
        bool isOdd = choice % 16 == 0; // not as the name says
        ConsumerOptions options = new()
        {
            Group = name,
            Kind = name is not null && name.Contains("shared", StringComparison.Ordinal) != isOdd ? GroupKind.Shared : GroupKind.Exclusive,
            Durable = name is not null && name.Contains("lasting", StringComparison.Ordinal),
            Start = choice % 2 == 0 ? StartPosition.Earliest : StartPosition.Latest,
            Acknowledge = choice / 2 % 2 == 0 ? AcknowledgeMode.Auto : AcknowledgeMode.Manual,
            MaxInFlight = choice / 2 % 2 == 0 && !isOdd ? 1 : 1 + (choice / 4 % 8),
        };
        bool isTyped = choice / 32 % 2 == 0;
        bool isValid = (options.MaxInFlight == 1 || options.Acknowledge == AcknowledgeMode.Manual)
            && (name is not null || options.Kind == GroupKind.Exclusive);
        ModelGroup? group = name is null ? null : _groups.Find(existing => existing.Name == name);
        Type? refusal =
            !isValid ? typeof(ArgumentException)
            : options.Kind == GroupKind.Shared && _mode == ShmFullMode.DropOldest ? typeof(ShmGroupException)
            : UsedSlots == MaxParticipants ? typeof(ShmLimitException)
            : group is not null && (group.Kind != options.Kind || group.IsDurable != options.Durable) ? typeof(ShmGroupException)
            : group is null && _groups.Count == MaxGroups ? typeof(ShmLimitException)
            : null;
        if (refusal is not null)
        {
            Exception thrown = Assert.ThrowsAny<Exception>(
                () => isTyped ? (IDisposable)_typed.CreateConsumer(options) : _bytes.CreateConsumer(options));
            Assert.IsAssignableFrom(refusal, thrown);
            return;
        }

        string[] before = [.. _bytes.Groups.Select(Describe)];
        ByteConsumer? bytes = isTyped ? null : _bytes.CreateConsumer(options);
        Consumer<byte[]>? typed = isTyped ? _typed.CreateConsumer(options) : null;
        bool isNew = group is null;
        group ??= new ModelGroup(name, options.Kind, options.Durable, MaxProducers);
        ModelMember member = new(bytes, typed, group, MaxProducers)
        {
            IsManual = options.Acknowledge == AcknowledgeMode.Manual,
            MaxInFlight = options.MaxInFlight,
            IsLossy = _mode == ShmFullMode.DropOldest,
        };
        group.Members.Add(member);
        _members.Add(member);
        if (isNew)
        {
            _groups.Add(group);
            Begin(group, member, options.Start, NewIn(before, _bytes.Groups));
        }
    }

    private void CreateObserver(int choice)
    {
        StartPosition start = choice % 2 == 0 ? StartPosition.Earliest : StartPosition.Latest;
        bool isTyped = choice / 2 % 2 == 0;
        if (UsedSlots == MaxParticipants)
        {
            Assert.Throws<ShmLimitException>(() => isTyped ? (IDisposable)_typed.CreateObserver(start) : _bytes.CreateObserver(start));
            return;
        }

        ModelMember member = new(
            isTyped ? null : _bytes.CreateObserver(start), isTyped ? _typed.CreateObserver(start) : null, null, MaxProducers)
        {
            IsLossy = true,
        };
        _members.Add(member);
        BeginLossy(member, start);
    }

    private void Leave(ModelMember member)
    {
        member.Dispose();
        member.Dispose();
        Assert.Throws<ObjectDisposedException>(() => member.TryRead());
        member.HasLeft = true;
        _members.Remove(member);
        if (member.Group is not { } group)
        {
            return;
        }

        group.Members.Remove(member);
        if (group.Active == member)
        {
            SettleCursors(member);
            group.Active = null;
        }

        foreach (ModelHold hold in group.HeldBy(member).ToArray())
        {
            hold.Holder = null;
            if (!member.IsManual)
            {
                Forget(group, hold); // automatically: finished with
            }
        }

        if (group.Members.Count == 0 && !group.IsDurable)
        {
            _groups.Remove(group);
        }
    }

    private void DeleteGroup(int choice)
    {
        string name = _names[choice % _names.Length];
        ModelGroup? group = _groups.Find(existing => existing.Name == name);
        if (UsedSlots == MaxParticipants)
        {
            Assert.Throws<ShmLimitException>(() => _bytes.DeleteGroup(name));
        }
        else if (group?.Members.Count > 0)
        {
            Assert.Throws<ShmGroupException>(() => _typed.DeleteGroup(name));
        }
        else
        {
            Assert.Equal(group is not null, _bytes.DeleteGroup(name));
            _groups.RemoveAll(existing => existing == group);
        }
    }

    private void Begin(ModelGroup group, ModelMember member, StartPosition start, ShmGroup listed)
    {
        group.Active = group.IsShared ? null : member;
        if (member.IsLossy)
        {
            BeginLossy(member, start);
            foreach (ModelLane lane in _lanes.Where(lane => lane.IsAllocated && start == StartPosition.Latest))
            {
                group.SetCursor(lane.Number, lane.End); // one that takes over goes on from there, too
            }

            return;
        }

        foreach (ModelLane lane in _lanes.Where(lane => lane.IsAllocated))
        {
            long first = lane.End - listed.Lags.Single(lag => lag.Lane == lane.Number).Messages;
            long oldest = lane.SequenceAt(lane.Position + TerminatorBytes - CapacityBytes);
            Assert.InRange(
                first,
                start == StartPosition.Latest ? lane.End : oldest,
                start == StartPosition.Latest ? lane.End : lane.SequenceAt(lane.FloorBound));
            group.SetCursor(lane.Number, first);
            member.Next[lane.Number] = first;
        }
    }

    /// <summary>What it can read is counted; it may be less by the time at which it does.</summary>
    private void BeginLossy(ModelMember member, StartPosition start)
    {
        long count = member.Count;
        long most = 0;
        long least = 0;
        foreach (ModelLane lane in _lanes)
        {
            if (start == StartPosition.Latest)
            {
                member.Next[lane.Number] = lane.End;
            }

            most += lane.End - Math.Max(member.Next[lane.Number], lane.SequenceAt(lane.Position + TerminatorBytes - CapacityBytes));
            least += lane.End - Math.Max(member.Next[lane.Number], lane.SequenceAt(lane.FloorBound));
        }

        Assert.InRange(count, least, most);
        Assert.Equal(0, member.LostMessages);
        member.Base = count - _published;
    }

    /// <summary>If nobody reads the member's group, it takes over with what it is asked next.</summary>
    private void TakeOver(ModelMember member)
    {
        if (member.Group is not { IsShared: false, Active: null } group)
        {
            return;
        }

        group.Active = member;
        foreach (ModelLane lane in _lanes)
        {
            member.Next[lane.Number] = group.Lower[lane.Number];
            member.HandedBefore[lane.Number] = group.Handed[lane.Number];
        }

        if (member.IsLossy)
        {
            BeginLossy(member, StartPosition.Earliest);
        }
    }

    /// <summary>Compares the listing. Groups without a name are told apart by nothing, so any assignment to the model's will do.</summary>
    private void CompareGroups()
    {
        List<ShmGroup> listed = [.. _bytes.Groups];
        Assert.Equal(_groups.Count, listed.Count);
        Assert.True(
            CanAssign(listed, _groups),
            $"Listed: {string.Join("; ", listed.Select(Describe))}. Expected: {string.Join("; ", _groups.Select(Describe))}");
    }

    private bool CanAssign(List<ShmGroup> listed, List<ModelGroup> groups) => listed.Count == 0
        || groups.Exists(group => IsAsListed(group, listed[0]) && CanAssign(listed[1..], [.. groups.Where(other => other != group)]));

    private bool IsAsListed(ModelGroup group, ShmGroup listed)
    {
        int active = group.IsShared ? group.Members.Count : group.Active is null ? 0 : 1;
        bool isSame = (listed.Name, listed.Kind, listed.IsDurable, listed.Members.Count, listed.InFlight)
            == (group.Name, group.Kind, group.IsDurable, group.Members.Count, group.Holds.Count);
        return isSame && listed.Members.Count(member => member.IsActive) == active
            && listed.Members.All(member => member.ProcessId == Environment.ProcessId)
            && listed.Lags.Select(lag => lag.Lane).SequenceEqual(_lanes.Where(lane => lane.IsAllocated).Select(lane => lane.Number))
            && listed.Lag == listed.Lags.Sum(lag => lag.Messages)
            && listed.Lags.All(lag => lag.Messages >= LeastLag(group, _lanes[lag.Lane]))
            && listed.Lags.All(lag => lag.Messages <= MostLag(group, _lanes[lag.Lane]));
    }

    private static long MostLag(ModelGroup group, ModelLane lane) => lane.End - group.Lower[lane.Number];

    private long LeastLag(ModelGroup group, ModelLane lane)
    {
        long highest = group.Upper[lane.Number];
        return lane.End - (_mode == ShmFullMode.DropOldest ? Math.Max(highest, lane.SequenceAt(lane.FloorBound)) : highest);
    }

    /// <summary>The group by which the second listing is longer than the first.</summary>
    private static ShmGroup NewIn(string[] before, IReadOnlyList<ShmGroup> after)
    {
        Assert.Equal(before.Length + 1, after.Count);
        int index = 0;
        while (index < before.Length && before[index] == Describe(after[index]))
        {
            index++;
        }

        return after[index];
    }

    private static string Describe(ShmGroup group) =>
        $"{group.Name ?? "-"} {group.Kind} durable={group.IsDurable} members={group.Members.Count} inFlight={group.InFlight} "
        + $"lags={string.Join(",", group.Lags.Select(lag => $"{lag.Lane}:{lag.Messages}"))}";

    private string Describe(ModelGroup group) =>
        $"{group.Name ?? "-"} {group.Kind} durable={group.IsDurable} members={group.Members.Count} inFlight={group.Holds.Count} "
        + $"lags={string.Join(",", _lanes.Select(lane => $"{lane.Number}:{LeastLag(group, lane)}..{MostLag(group, lane)}"))}";
}
