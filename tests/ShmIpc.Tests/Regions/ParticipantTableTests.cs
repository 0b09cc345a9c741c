using System.Collections.Concurrent;
using ShmIpc.Channels;
using ShmIpc.Regions;
using Xunit;

namespace ShmIpc.Tests.Regions;

/// <summary>Who takes part, and who of them is alive, as seen by two attachments: each has descriptions of its own, as two processes
/// have.</summary>
public sealed class ParticipantTableTests : IDisposable
{
    private readonly RegionScene _scene = new();

    [Fact]
    public void A_participant_is_alive_for_everybody_from_join_to_leave()
    {
        using Attachment here = Attach();
        using Attachment there = Attach();
        Stamp stamp = here.Participants.Join(ParticipantRole.Consumer);
        Assert.True(stamp.IsPlausible);
        Assert.True(here.Participants.IsAlive(stamp)); // also for itself, whose own locks it does not see
        Assert.True(there.Participants.IsAlive(stamp));
        Assert.Equal(1, there.Participants.CountAlive(ParticipantRole.Consumer));
        Assert.Equal(0, there.Participants.CountAlive(ParticipantRole.Producer));
        Assert.Equal(Environment.ProcessId, there.Participants.ProcessId(stamp));
        here.Participants.Leave(stamp);
        Assert.False(here.Participants.IsAlive(stamp));
        Assert.False(there.Participants.IsAlive(stamp));
        Assert.Equal(0, there.Participants.CountAlive(ParticipantRole.Consumer));
    }

    [Fact]
    public void Asking_makes_nobody_alive()
    {
        using Attachment here = Attach();
        using Attachment there = Attach();
        Stamp never = new(7, 1);
        for (int i = 0; i < 100; i++)
        {
            Assert.False(here.Participants.IsAlive(never));
            Assert.False(there.Participants.IsAlive(never));
        }

        Assert.False(here.Participants.IsAlive(Stamp.None));
        Assert.False(here.Participants.IsAlive(new Stamp(ulong.MaxValue)));
        Assert.False(here.Participants.IsAlive(new Stamp(1, 200))); // no such slot here
    }

    [Fact]
    public void Closing_an_attachment_ends_all_its_participants_and_nobody_elses()
    {
        using Attachment there = Attach();
        Stamp other = there.Participants.Join(ParticipantRole.Producer);
        Attachment here = Attach();
        Stamp one = here.Participants.Join(ParticipantRole.Producer);
        Stamp two = here.Participants.Join(ParticipantRole.Producer);
        here.Dispose(); // as at a death: nobody left
        // A process that another test starts has a copy of the descriptor for a moment.
        Assert.True(SpinWait.SpinUntil(() => !there.Participants.IsAlive(one) && !there.Participants.IsAlive(two), 60_000));
        Assert.True(there.Participants.IsAlive(other));
    }

    [Fact]
    public void A_slot_is_used_again_with_a_higher_epoch()
    {
        using Attachment here = Attach();
        using Attachment there = Attach();
        HashSet<ulong> seen = [];
        ulong epoch = 0;
        for (int i = 0; i < 200; i++)
        {
            ParticipantTable table = i % 2 == 0 ? here.Participants : there.Participants;
            Stamp stamp = table.Join(ParticipantRole.Producer);
            Assert.Equal(0, stamp.Slot);
            Assert.Equal(epoch + 1, stamp.Epoch);
            epoch = stamp.Epoch;
            Assert.True(seen.Add(stamp.Value));
            table.Leave(stamp);
        }
    }

    [Fact]
    public void When_every_slot_is_held_joining_is_refused_until_somebody_leaves()
    {
        using Attachment here = Attach();
        using Attachment there = Attach();
        Stamp[] stamps = [.. Enumerable.Range(0, 4).Select(i => (i % 2 == 0 ? here : there).Participants.Join(ParticipantRole.Consumer))];
        Assert.Equal([0, 1, 2, 3], stamps.Select(stamp => stamp.Slot));
        ShmLimitException refused = Assert.Throws<ShmLimitException>(() => here.Participants.Join(ParticipantRole.Consumer));
        Assert.Contains("None of the 4", refused.Message, StringComparison.Ordinal);
        Assert.Contains(_scene.File, refused.Message, StringComparison.Ordinal);
        Assert.Contains("4 belong to living", refused.Message, StringComparison.Ordinal);
        Assert.Contains("MaxParticipants", refused.Message, StringComparison.Ordinal);
        there.Participants.Leave(stamps[1]);
        Stamp next = here.Participants.Join(ParticipantRole.Producer);
        Assert.Equal(1, next.Slot);
        Assert.Equal(2UL, next.Epoch);
        Assert.False(there.Participants.IsAlive(stamps[1]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public void A_dead_participants_slot_with_claims_is_not_free(int intent)
    {
        using Attachment here = Attach();
        using SharedWords words = new(_scene.File);
        Stamp dead = here.Participants.Join(ParticipantRole.Consumer);
        words.Intent(dead.Slot, intent) = 0x1234;
        here.Participants.Leave(dead);
        Stamp[] others = [.. Enumerable.Range(0, 3).Select(_ => here.Participants.Join(ParticipantRole.Consumer))];
        Assert.DoesNotContain(others, stamp => stamp.Slot == dead.Slot);
        ShmLimitException refused = Assert.Throws<ShmLimitException>(() => here.Participants.Join(ParticipantRole.Consumer));
        Assert.Contains("3 belong to living producers or consumers, 1 to dead ones", refused.Message, StringComparison.Ordinal);
        words.Intent(dead.Slot, intent) = 0; // acknowledged by whoever recovers
        Assert.Equal(dead.Slot, here.Participants.Join(ParticipantRole.Consumer).Slot);
    }

    [Fact]
    public void Epochs_that_a_peer_scribbled_neither_crash_nor_repeat()
    {
        using Attachment here = Attach();
        using SharedWords words = new(_scene.File);
        words.Epoch(0) = ulong.MaxValue;
        words.Epoch(1) = Stamp.MaxEpoch;
        words.Epoch(2) = Stamp.MaxEpoch - 1;
        Stamp last = here.Participants.Join(ParticipantRole.Producer);
        Assert.Equal((2, Stamp.MaxEpoch), (last.Slot, last.Epoch));
        Assert.True(here.Participants.IsAlive(last)); // the very last byte that can be locked
        here.Participants.Leave(last);
        Assert.False(here.Participants.IsAlive(last));
        Assert.Equal(3, here.Participants.Join(ParticipantRole.Producer).Slot);
        Assert.Throws<ShmLimitException>(() => here.Participants.Join(ParticipantRole.Producer));
    }

    [Fact]
    public void Stamps_never_repeat_whoever_joins_at_the_same_time()
    {
        const int threads = 6;
        const int joins = 400;
        Attachment[] attachments = new Attachment[3];
        for (int i = 0; i < attachments.Length; i++)
        {
            attachments[i] = Attach(maxParticipants: 8);
        }

        ConcurrentDictionary<ulong, int> seen = new();
        ConcurrentDictionary<int, Stamp> present = new();
        Concurrently.Run(threads, TimeSpan.FromSeconds(60), thread =>
        {
            ParticipantTable table = attachments[thread % 3].Participants;
            ulong[] epochs = new ulong[8];
            for (int i = 0; i < joins; i++)
            {
                Stamp stamp = table.Join(ParticipantRole.Consumer);
                Assert.True(seen.TryAdd(stamp.Value, thread), $"{stamp} was given out twice");
                Assert.True(present.TryAdd(stamp.Slot, stamp), $"slot {stamp.Slot} is held twice");
                Assert.True(stamp.Epoch > epochs[stamp.Slot]);
                epochs[stamp.Slot] = stamp.Epoch;
                Assert.True(attachments[(thread + 1) % 3].Participants.IsAlive(stamp));
                Assert.True(present.TryRemove(stamp.Slot, out _));
                table.Leave(stamp);
            }
        });
        Assert.Equal(threads * joins, seen.Count);
        Array.ForEach(attachments, attachment => attachment.Dispose());
    }

    public void Dispose() => _scene.Dispose();

    private Attachment Attach(int maxParticipants = 4) =>
        new(RegionScene.Options(_scene.Root, maxParticipants: maxParticipants));
}
