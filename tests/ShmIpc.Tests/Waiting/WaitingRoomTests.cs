using System.Diagnostics;
using ShmIpc.Interop;
using ShmIpc.Memory;
using ShmIpc.Waiting;
using Xunit;

namespace ShmIpc.Tests.Waiting;

public sealed class WaitingRoomTests : IDisposable
{
    private const long BallOffset = 16_640; // behind the section, in the same mapping
    private const ulong Over = ulong.MaxValue; // as the ball: the game has lasted long enough
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _longest = TimeSpan.FromSeconds(20);
    private readonly MemoryMapping _memory = MemoryMapping.MapAnonymous(20_480);

    [Fact]
    public void A_word_of_the_bitmap_and_a_doorbell_belong_to_each_of_the_256_slots()
    {
        WaitingRoom readers = WaitingRoom.ForReaders(Section);
        WaitingRoom writers = WaitingRoom.ForWriters(Section);
        for (int slot = 0; slot < DoorbellLayout.MaxParticipants; slot++)
        {
            Assert.False(readers.AnyParked);
            uint ticket = readers.Prepare(slot);
            Assert.True(readers.AnyParked);
            Assert.False(writers.AnyParked);
            Assert.True(readers.IsPrepared(slot, ticket));
            readers.WakeAll();
            Assert.False(readers.AnyParked);
            Assert.False(readers.IsPrepared(slot, ticket));
            Assert.NotEqual(ticket, Section.UInt32(DoorbellLayout.DoorbellsOffset + (slot * DoorbellLayout.DoorbellStrideBytes)));
        }
    }

    [Fact]
    public void A_ring_after_the_ticket_was_taken_ends_the_sleep_before_it_begins()
    {
        WaitingRoom room = WaitingRoom.ForReaders(Section);
        uint ticket = room.Prepare(7);
        room.WakeAll();
        RoundTimes times = new();
        for (int i = 0; i < 100; i++)
        {
            room.Sleep(7, ticket, TimeSpan.FromDays(1));
            times.EndRound();
        }

        Assert.True(times.ShowWakeUps(0.5), $"{times}");
    }

    [Fact]
    public void A_waker_that_dies_between_clearing_the_bit_and_ringing_leaves_a_slot_that_is_not_prepared()
    {
        WaitingRoom room = WaitingRoom.ForReaders(Section);
        uint ticket = room.Prepare(70);
        Section.UInt64(DoorbellLayout.ParkedReadersOffset + 8) = 0; // all that the waker did
        Assert.False(room.IsPrepared(70, ticket)); // so an await that is polled now sets its bit again
    }

    [Fact]
    public async Task No_wake_up_is_lost_in_a_long_ping_pong()
    {
        const int rounds = 100_000;
        WaitingRoom room = WaitingRoom.ForReaders(Section);
        ref ulong first = ref _memory.Whole.UInt64(BallOffset);
        first = 0;
        long start = Stopwatch.GetTimestamp();

        // The ball counts; slot 0 waits for odd numbers, slot 1 for even ones. The sleep is the room's own, on its own words, but it
        // is done here without its bound: nobody but the other player ends it. On a busy machine there are fewer rounds.
        void Play(int slot)
        {
            ref ulong ball = ref _memory.Whole.UInt64(BallOffset);
            for (ulong expected = (ulong)slot; expected < 2 * rounds; expected += 2)
            {
                while (Atomics.Acquire(ref ball) is var thrown && thrown != expected)
                {
                    if (thrown == Over)
                    {
                        return;
                    }

                    uint ticket = room.Prepare(slot);
                    if (Atomics.Acquire(ref ball) != thrown)
                    {
                        continue;
                    }

                    FutexResult ended = Futex.Wait(room.DoorbellAddress(slot), ticket, _bound);
                    Assert.True(ended != FutexResult.TimedOut, $"Nobody woke slot {slot}, which waits for {expected}.");
                }

                bool isOver = slot == 1 && Stopwatch.GetElapsedTime(start) > _longest;
                Atomics.Release(ref ball, isOver ? Over : expected + 1);
                if (room.AnyParked)
                {
                    room.WakeAll();
                }
            }
        }

        await Task.WhenAll(OwnThread.Run(() => Play(0)), OwnThread.Run(() => Play(1))).WaitAsync(_longest + (2 * _bound));
        Assert.True(_memory.Whole.UInt64(BallOffset) is Over or 2UL * rounds);
    }

    public void Dispose() => _memory.Dispose();

    private MappedSpan Section => _memory.Whole.Slice(0, DoorbellLayout.SectionBytes);
}
