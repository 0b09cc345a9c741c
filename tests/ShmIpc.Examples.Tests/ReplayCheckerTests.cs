// The checker must say yes to a faithful replay, and no to every way in which one can go wrong.
using System.Text;
using ShmIpc.Examples.Consumer;
using ShmIpc.Examples.Messages;
using Xunit;

namespace ShmIpc.Examples.Tests;

public sealed class ReplayCheckerTests
{
    private const long Attached = 1000;

    [Fact]
    public void A_faithful_replay_is_complete()
    {
        ReplayChecker checker = Check(Replay(run: 1, lines: 5));
        Assert.True(checker.IsComplete);
        Assert.Equal((5, 0, 0, 0), (checker.Lines, checker.Lost, checker.OutOfOrder, checker.Foreign));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(4)]
    public void A_lost_line_is_noticed(int lost)
    {
        List<ReplayLine> messages = Replay(run: 1, lines: 5);
        messages.RemoveAt(lost);
        ReplayChecker checker = Check(messages);
        Assert.False(checker.IsComplete);
        Assert.Equal((4, 1), (checker.Lines, checker.Lost));
    }

    [Fact]
    public void A_lost_end_is_noticed()
    {
        List<ReplayLine> messages = Replay(run: 1, lines: 5);
        messages.RemoveAt(5);
        ReplayChecker checker = Check(messages);
        Assert.Null(checker.End);
        Assert.False(checker.IsComplete);
    }

    [Fact]
    public void A_line_that_comes_twice_is_noticed()
    {
        List<ReplayLine> messages = Replay(run: 1, lines: 5);
        messages.Insert(3, messages[2]);
        ReplayChecker checker = Check(messages);
        Assert.False(checker.IsComplete);
        Assert.Equal(1, checker.OutOfOrder);
    }

    [Fact]
    public void Swapped_lines_are_noticed()
    {
        List<ReplayLine> messages = Replay(run: 1, lines: 5);
        (messages[1], messages[2]) = (messages[2], messages[1]);
        ReplayChecker checker = Check(messages);
        Assert.False(checker.IsComplete);
        Assert.Equal(1, checker.OutOfOrder);
    }

    [Fact]
    public void A_changed_byte_is_noticed()
    {
        List<ReplayLine> messages = Replay(run: 1, lines: 5);
        messages[3] = messages[3] with { Text = "LINE 4"u8.ToArray() };
        ReplayChecker checker = Check(messages);
        Assert.False(checker.IsComplete);
        Assert.Equal((0, 0), (checker.Lost, checker.OutOfOrder));
        Assert.NotEqual(checker.End!.Hash, checker.Hash);
    }

    [Fact]
    public void What_an_earlier_replay_left_behind_is_ignored()
    {
        List<ReplayLine> earlier = Replay(run: 1, lines: 9, sent: Attached - 500);
        List<ReplayLine> messages = [.. earlier[4..], .. Replay(run: 2, lines: 5)];
        ReplayChecker checker = Check(messages);
        Assert.True(checker.IsComplete);
        Assert.Equal((5, 6), (checker.Lines, checker.Foreign));
    }

    [Fact]
    public void A_replay_that_began_before_the_consumer_came_stays_foreign_to_its_end()
    {
        ReplayChecker checker = Check(Replay(run: 1, lines: 9, sent: Attached - 5));
        Assert.False(checker.HasBegun);
        Assert.Equal(10, checker.Foreign);
    }

    [Fact]
    public void A_second_producer_does_not_disturb()
    {
        List<ReplayLine> one = Replay(run: 1, lines: 5);
        List<ReplayLine> two = Replay(run: 2, lines: 5);
        ReplayChecker checker = Check([.. one.Zip(two).SelectMany(pair => new[] { pair.First, pair.Second })]);
        Assert.True(checker.IsComplete);
        Assert.Equal(5, checker.Foreign);
    }

    [Fact]
    public void The_hash_depends_on_content_boundaries_and_order()
    {
        uint reference = Hash("ab", "cd");
        Assert.Equal(reference, Hash("ab", "cd"));
        Assert.NotEqual(reference, Hash("abc", "d"));
        Assert.NotEqual(reference, Hash("cd", "ab"));
        Assert.NotEqual(reference, Hash("ab", "cd\0"));
        Assert.NotEqual(reference, Hash("ab", "cd", ""));
    }

    private static ReplayChecker Check(List<ReplayLine> messages)
    {
        var checker = new ReplayChecker(Attached);
        foreach (ReplayLine message in messages)
        {
            checker.Add(message);
            if (checker.End is not null)
                break;
        }
        return checker;
    }

    private static List<ReplayLine> Replay(long run, int lines, long sent = Attached + 1)
    {
        var messages = new List<ReplayLine>();
        var hash = new ReplayHash();
        long bytes = 0;
        for (int number = 1; number <= lines; number++)
        {
            byte[] text = Encoding.UTF8.GetBytes($"line {number}");
            hash.Add(number, text);
            bytes += text.Length;
            messages.Add(new ReplayLine(run, number, sent++, text, null));
        }
        messages.Add(new ReplayLine(run, lines + 1, sent, default, new ReplayEnd(lines, bytes, hash.Value)));
        return messages;
    }

    private static uint Hash(params string[] lines)
    {
        var hash = new ReplayHash();
        for (int i = 0; i < lines.Length; i++)
            hash.Add(i + 1, Encoding.UTF8.GetBytes(lines[i]));
        return hash.Value;
    }
}
