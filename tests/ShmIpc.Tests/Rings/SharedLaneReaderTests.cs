using ShmIpc.Memory;
using ShmIpc.Rings;
using Xunit;

namespace ShmIpc.Tests.Rings;

/// <summary>Members of a shared group on plain memory.</summary>
public sealed class SharedLaneReaderTests
{
    [Fact]
    public void A_word_that_is_no_header_is_reported_once_and_taken_by_nobody()
    {
        using LaneMemory memory = new();
        LaneWriter writer = memory.CreateWriter();
        memory.Join(0);
        SharedLaneReader member = new(memory.Data, memory.Control, memory.CursorOf(0), 0);
        Assert.True(writer.TryWrite("good"u8));
        ulong good = memory.HeaderAt(0);
        memory.HeaderAt(0) = good ^ (1UL << 40);
        ulong intent = 0;
        ShmCorruptionException error = Assert.Throws<ShmCorruptionException>(() => member.TryClaim(ref intent, out _));
        Assert.Contains("stands at 0, where the word", error.Message, StringComparison.Ordinal);
        Assert.False(member.TryClaim(ref intent, out _));
        Assert.Equal((0UL, 0UL), (intent, memory.Gate.Cursor(0)));

        memory.HeaderAt(0) = good;
        Assert.True(member.TryClaim(ref intent, out LaneRecord record));
        Assert.True(member.Payload(record).SequenceEqual("good"u8));
    }

    [Fact]
    public void A_newcomer_to_a_busy_group_finds_no_damage()
    {
        using LaneMemory memory = new();
        LaneWriter writer = memory.CreateWriter();
        memory.Join(0);
        MappedSpan cursor = memory.CursorOf(0);
        bool isOver = false;
        long made = 0;
        Concurrently.Run(2, TimeSpan.FromSeconds(60), thread =>
        {
            try
            {
                if (thread == 0)
                {
                    SharedLaneReader member = new(memory.Data, memory.Control, cursor, 0);
                    ulong intent = 0;
                    byte[] payload = new byte[24];
                    payload.AsSpan().Fill(0xFF); // what an unlucky newcomer takes for a header, when it is overtaken
                    while (!Volatile.Read(ref isOver))
                    {
                        writer.TryWrite(payload.AsSpan(0, (int)(writer.Sequence % 25)));
                        member.TryClaim(ref intent, out _);
                        intent = 0;
                    }
                }
                else
                {
                    long end = Environment.TickCount64 + 8_000;
                    while (Environment.TickCount64 < end)
                    {
                        made++;
                        SharedLaneReader newcomer = new(memory.Data, memory.Control, cursor, 0);
                        ulong intent = 0;
                        newcomer.TryClaim(ref intent, out LaneRecord _);
                    }
                }
            }
            finally
            {
                Volatile.Write(ref isOver, true);
            }
        });
        Assert.True(made > 100, $"{made}");
    }
}
