// What consumers and observers do.

using System.Diagnostics;
using ShmIpc.Channels;
using Xunit;

namespace ShmIpc.Tests.Channels;

internal sealed partial class ChannelModel
{
    private static readonly TimeSpan _longestRecovery = TimeSpan.FromSeconds(60);

    private void Read(ModelMember member)
    {
        TakeOver(member);
        if (member.Group is { IsShared: true } group)
        {
            ReadShared(member, group);
        }
        else if (member.IsManual && member.InFlight.Count == member.MaxInFlight)
        {
            Assert.Throws<InvalidOperationException>(() => member.TryRead());
        }
        else if (!member.IsReading)
        {
            Assert.Null(member.TryRead());
        }
        else
        {
            if (member.TryRead() is { } delivery)
            {
                Accept(member, delivery);
            }
            else
            {
                CompareEmpty(member);
                SettleCursors(member);
            }
        }

        Look(member);
    }

    private void ReadBatch(ModelMember member, ModelProducer? producer, ModelStep step)
    {
        if (member.IsManual || member.Group is { IsShared: true })
        {
            Assert.Throws<InvalidOperationException>(() => member.Bytes!.TryReadBatch(1, out _));
            return;
        }

        TakeOver(member);
        int most = 1 + (step.Choice % 8);
        if (!member.IsReading)
        {
            Assert.False(member.Bytes!.TryReadBatch(most, out _));
            return;
        }

        if (!member.Bytes!.TryReadBatch(most, out RecordBatch batch))
        {
            CompareEmpty(member);
            SettleCursors(member);
            return;
        }

        Assert.InRange(batch.Count, 1, most);
        long left = _lanes[batch.Lane].End - member.Next[batch.Lane];
        ModelDelivery? first = null;
        foreach (ShmRecord record in batch)
        {
            ModelDelivery delivery = ModelDelivery.Of(record);
            Accept(member, delivery, isFirst: first is null);
            first ??= delivery;
        }

        Assert.Equal(member.IsLossy ? 1 : Math.Min(most, left), batch.Count);
        if (member.Group is { } group)
        {
            group.Upper[batch.Lane] = first!.Sequence;
        }

        Assert.Throws<InvalidOperationException>(() => member.Count);
        if (producer is not null && step.Choice % 2 == 0)
        {
            Write(producer, step.Bytes, step.Choice);
            foreach (ShmRecord record in batch)
            {
                if (record.Sequence == first!.Sequence)
                {
                    Assert.Equal(first.Payload, record.Payload.ToArray()); // nothing of it is overwritten meanwhile
                }
            }
        }

        batch.Dispose();
        SettleCursors(member);
        Look(member);
    }

    private void AcknowledgeOne(ModelMember member, int choice)
    {
        if (member.Group is { IsShared: true } group)
        {
            ModelHold[] held = [.. group.HeldBy(member)];
            if (held.Length > 0)
            {
                ModelHold hold = held[choice % held.Length];
                ModelDelivery delivery = member.InFlight.Single(
                    read => (read.Lane, read.Sequence) == (hold.Message.Lane, hold.Message.Sequence));
                member.Acknowledge(delivery);
                member.Acknowledge(delivery); // does nothing
                member.InFlight.Remove(delivery);
                Forget(group, hold);
            }
        }
        else if (member.InFlight.Count > 0)
        {
            ModelDelivery delivery = member.InFlight[choice % member.InFlight.Count];
            member.Acknowledge(delivery);
            member.InFlight.Remove(delivery);
            SettleCursors(member);
            member.Acknowledge(delivery);
        }

        Look(member);
    }

    private void AcknowledgeAll(ModelMember member)
    {
        member.AcknowledgeAll();
        FinishWithAll(member);
    }

    private void Wait(ModelMember member)
    {
        TakeOver(member);
        bool isReadable = member.WaitToRead();
        ModelGroup? group = member.Group;
        bool hasNext = group is { IsShared: true }
            ? _lanes.Exists(lane => group.Upper[lane.Number] < lane.End)
            : member.IsReading && (member.IsLossy ? member.Count > 0 : _lanes.Exists(lane => member.Next[lane.Number] < lane.End));
        bool mayHaveLeft = group?.Holds.Exists(hold => hold.IsFor(member)) ?? false;
        if (hasNext || isReadable)
        {
            Assert.True(isReadable);
            Assert.True(hasNext || mayHaveLeft);
            return;
        }

        if (group is { IsShared: true })
        {
            FinishAutomatically(member, group);
        }
        else if (member.IsReading)
        {
            SettleCursors(member);
        }

        if (!member.IsCompleted && MayComplete(member) is var expected)
        {
            bool isCompleted = member.Completion.IsCompleted;
            Assert.Equal(expected ?? isCompleted, isCompleted);
            member.IsCompleted = isCompleted;
            string? fault = _lanes.Find(lane => lane.Fault is not null)?.Fault;
            if (isCompleted)
            {
                Assert.Equal(fault, (member.Completion.Exception?.InnerException as ShmRemoteException)?.RemoteMessage);
            }
        }
    }

    /// <summary>Whether a wait that found no message finds that there will be none. Null: the library's freedom.</summary>
    private bool? MayComplete(ModelMember member)
    {
        if (!_isAnyCompleted || _producers.Exists(producer => !producer.IsCompleted))
        {
            return false;
        }

        if (member.IsReading)
        {
            return member.Group?.Holds.TrueForAll(hold => hold.Slot == member || hold.Holder == member) ?? true; // or it inherited it
        }

        ModelGroup group = member.Group!;
        return _lanes.TrueForAll(lane => group.Lower[lane.Number] == lane.End) && !member.IsLossy ? true
            : _lanes.Exists(lane => group.Upper[lane.Number] < lane.End) && !member.IsLossy ? false
            : null;
    }

    /// <summary>Compares what it can read, and what it has lost.</summary>
    private void Look(ModelMember member)
    {
        TakeOver(member);
        long count = member.Count;
        long lost = member.LostMessages;
        if (!member.IsReading)
        {
            Assert.Equal((0, 0), (count, lost));
        }
        else if (member.IsLossy)
        {
            Assert.Equal(member.Base + _published - member.ReadCount, count + lost);
            Assert.InRange(count, 0, _lanes.Sum(lane => lane.End - member.Next[lane.Number]));
        }
        else
        {
            long[] next = member.Group is { IsShared: true } group ? group.Upper : member.Next;
            Assert.Equal((_lanes.Sum(lane => lane.End - next[lane.Number]), 0), (count, lost));
        }
    }

    private void ReadShared(ModelMember member, ModelGroup group)
    {
        FinishAutomatically(member, group);
        if (group.HeldBy(member).Count() == member.MaxInFlight)
        {
            Assert.Throws<InvalidOperationException>(() => member.TryRead());
            return;
        }

        long start = Stopwatch.GetTimestamp();
        ModelDelivery? delivery;
        while ((delivery = member.TryRead()) is null)
        {
            Assert.All(_lanes, lane => Assert.Equal(lane.End, group.Upper[lane.Number]));
            if (!group.Holds.Exists(hold => hold.IsFor(member)))
            {
                return;
            }

            Assert.True(Stopwatch.GetElapsedTime(start) < _longestRecovery, "What a member left is not delivered again.");
            Thread.Sleep(1);
        }

        ModelMessage message = Compare(delivery);
        if (delivery.Sequence == group.Upper[delivery.Lane])
        {
            Assert.Equal(1, delivery.Deliveries);
            group.SetCursor(delivery.Lane, delivery.Sequence + 1);
            group.Holds.Add(new ModelHold(message, member));
        }
        else
        {
            ModelHold? left = group.Holds.Find(hold => hold.Message == message && hold.IsFor(member));
            Assert.NotNull(left);
            left.Deliveries = Math.Min(left.Deliveries + 1, 7);
            Assert.Equal(left.Deliveries, delivery.Deliveries);
            (left.Holder, left.Slot.Heir) = (member, member);
        }

        member.InFlight.Add(delivery);
    }

    /// <summary>A message that was read in an exclusive group, or by an observer.</summary>
    private void Accept(ModelMember member, ModelDelivery delivery, bool isFirst = true)
    {
        ModelMessage message = Compare(delivery);
        int number = delivery.Lane;
        ModelLane lane = _lanes[number];
        if (member.IsLossy)
        {
            Assert.InRange(delivery.Sequence, member.Next[number], Math.Max(member.Next[number], lane.SequenceAt(lane.FloorBound)));
        }
        else
        {
            Assert.Equal(member.Next[number], delivery.Sequence);
        }

        bool wasHanded = delivery.Sequence < member.HandedBefore[number];
        Assert.InRange(delivery.Deliveries, wasHanded && !member.IsLossy ? 2 : 1, wasHanded ? int.MaxValue : 1);
        if (member.Group is { } group)
        {
            Release(member, group, number, isFirst);
            group.Handed[number] = Math.Max(group.Handed[number], delivery.Sequence + 1);
        }

        member.Next[number] = delivery.Sequence + 1;
        member.ReadCount++;
        member.Lane = number;
        if (member.IsManual)
        {
            member.InFlight.Add(delivery);
        }

        if (member.Group is { } read)
        {
            foreach (ModelLane other in _lanes)
            {
                read.Upper[other.Number] = Math.Max(
                    read.Lower[other.Number],
                    member.IsManual ? member.Ceiling(other.Number) : other == lane ? delivery.Sequence : member.Next[other.Number]);
            }
        }
    }

    /// <summary>What a reader gave back for certain, before it took the next message from a lane: everything when it turned to another
    /// lane; from a named group everything of the lane, from a consumer's own at least what is an eighth of it.</summary>
    private void Release(ModelMember member, ModelGroup group, int lane, bool isFirst)
    {
        if (!isFirst || member.Lane < 0)
        {
            return;
        }

        foreach (ModelLane read in _lanes.Where(read => member.Lane != lane || read.Number == lane))
        {
            long ceiling = member.Ceiling(read.Number);
            bool isAll = member.Lane != lane || group.Name is not null;
            long given = isAll ? ceiling : Math.Min(ceiling, read.SequenceAt(read.PositionOf(member.Next[lane]) - (CapacityBytes / 8) + 1));
            group.Lower[read.Number] = Math.Max(group.Lower[read.Number], given);
        }
    }

    /// <summary>A reader of an exclusive group gave back everything that it is finished with.</summary>
    private void SettleCursors(ModelMember member)
    {
        foreach (ModelLane lane in _lanes)
        {
            if (member.Group is { IsShared: false } group && group.Active == member)
            {
                group.SetCursor(lane.Number, Math.Max(group.Lower[lane.Number], member.Ceiling(lane.Number)));
            }
        }
    }

    private void FinishWithAll(ModelMember member)
    {
        member.InFlight.Clear();
        if (member.Group is { IsShared: true } group)
        {
            foreach (ModelHold hold in group.HeldBy(member).ToArray())
            {
                Forget(group, hold);
            }
        }
        else if (member.IsReading)
        {
            SettleCursors(member);
        }
    }

    private void FinishAutomatically(ModelMember member, ModelGroup group)
    {
        if (!member.IsManual)
        {
            Assert.True(group.HeldBy(member).Count() <= 1);
            FinishWithAll(member);
        }
    }

    private static void Forget(ModelGroup group, ModelHold hold)
    {
        group.Holds.Remove(hold);
        if (!group.Holds.Exists(other => other.Slot == hold.Slot))
        {
            hold.Slot.Heir = null;
        }
    }

    /// <summary>Nothing to read.</summary>
    private void CompareEmpty(ModelMember member)
    {
        foreach (ModelLane lane in _lanes)
        {
            Assert.True(member.IsLossy || member.Next[lane.Number] == lane.End);
            member.Next[lane.Number] = lane.End;
        }
    }

    private ModelMessage Compare(ModelDelivery delivery)
    {
        ModelLane lane = _lanes[delivery.Lane];
        Assert.InRange(delivery.Sequence, 0, lane.End - 1);
        ModelMessage message = lane.Messages[(int)delivery.Sequence];
        Assert.True(delivery.Position < 0 || delivery.Position == message.Position);
        Assert.True(
            message.Payload.AsSpan().SequenceEqual(delivery.Payload),
            $"Message {message.Sequence} of lane {lane.Number} is not what was published.");
        return message;
    }
}
