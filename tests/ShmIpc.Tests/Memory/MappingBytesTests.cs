// Callbacks and copies: bytes in place for as long as a callback runs, and exceptions where there would be a fault. That no span gets out
// of a callback is the compiler's work; Architecture/MemorySurfaceTests has what that rests on.

using ShmIpc.Memory;
using Xunit;

namespace ShmIpc.Tests.Memory;

public sealed class MappingBytesTests
{
    private static readonly int _page = Environment.SystemPageSize;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    [Fact]
    public unsafe void A_callback_has_the_bytes_in_place()
    {
        using var mapping = MemoryMapping.MapAnonymous(2 * _page);
        mapping.Write(_page - 2, 4, bytes => "abcd"u8.CopyTo(bytes));
        Assert.Equal("abcd", mapping.Read(_page - 2, 4, System.Text.Encoding.ASCII.GetString));
        Assert.Equal(mapping.Whole.Address(_page - 2), mapping.Read(_page - 2, 4, bytes =>
        {
            fixed (byte* first = bytes) return (nint)first;
        }));
        Assert.Equal(2 * _page, mapping.Read(bytes => bytes.Length));
        mapping.Write(bytes => bytes[^1] = 7);
        var seen = 0;
        mapping.Read(bytes => { seen = bytes[^1]; });
        mapping.Read(2 * _page - 1, 1, bytes => { seen += bytes[0]; });
        Assert.Equal(14, seen);
        Assert.Equal(0, mapping.Read(2 * _page, 0, bytes => bytes.Length));
    }

    [Fact]
    public void What_a_callback_is_given_may_be_a_span()
    {
        using var mapping = MemoryMapping.MapAnonymous(_page);
        ReadOnlySpan<byte> three = [1, 2, 3];
        mapping.Write(10, 3, three, static (bytes, three) => three.CopyTo(bytes));
        Assert.True(mapping.Read(10, 3, three, static (bytes, three) => bytes.SequenceEqual(three)));
        var list = new List<byte>();
        mapping.Read(10, 3, list, static (bytes, list) => list.AddRange(bytes));
        Assert.Equal([1, 2, 3], list);
    }

    [Fact]
    public void Static_callbacks_cost_no_more_objects_than_copies()
    {
        using var mapping = MemoryMapping.MapAnonymous(_page);
        Func<int> inPlace = () => mapping.Read(0, 8, 1, static (bytes, state) => bytes[0] + state);
        Func<int> byCopy = () => mapping.Read<int>(0);
        // Whatever is compiled anew meanwhile, one before the other, may do with fewer.
        Assert.True(
            SpinWait.SpinUntil(() => BytesOf(byCopy) == BytesOf(inPlace), _patience),
            $"{BytesOf(byCopy)} by copy, {BytesOf(inPlace)} in place");

        static long BytesOf(Func<int> use)
        {
            use();
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 100; i++) use();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Fact]
    public void What_a_callback_throws_comes_out_and_leaves_nothing_behind()
    {
        using var mapping = MemoryMapping.MapAnonymous(_page);
        Action<Action> fails = action => Assert.Equal("mine", Assert.Throws<FormatException>(action).Message);
        fails(() => mapping.Read(0, 1, bytes => throw new FormatException("mine")));
        fails(() => mapping.Write(0, 1, bytes => throw new FormatException("mine")));
        mapping.Protect(0, _page, MemoryAccess.None); // nobody needs it any more
        Assert.True(mapping.TryUnmap());
    }

    [Fact]
    public void A_range_outside_is_refused_and_nothing_is_called()
    {
        using var mapping = MemoryMapping.MapAnonymous(_page);
        foreach (var (offset, length) in ((long, int)[])[(-1, 1), (0, -1), (_page, 1), (1, _page), (long.MaxValue, 1), (0, int.MaxValue)])
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => mapping.Read(offset, length, bytes => Assert.Fail("called")));
            Assert.Throws<ArgumentOutOfRangeException>(() => mapping.Write(offset, length, bytes => Assert.Fail("called")));
        }

        Assert.Throws<ArgumentNullException>(() => mapping.Read(0, 1, (SpanReader)null!));
        Assert.Throws<ArgumentNullException>(() => mapping.Read(0, 1, (SpanReader<int>)null!));
        Assert.Throws<ArgumentNullException>(() => mapping.Read(0, 1, 1, (SpanReader<int, int>)null!));
        Assert.Throws<ArgumentNullException>(() => mapping.Read(0, 1, 1, (System.Buffers.ReadOnlySpanAction<byte, int>)null!));
        Assert.Throws<ArgumentNullException>(() => mapping.Write(0, 1, null!));
        Assert.Throws<ArgumentNullException>(() => mapping.Write(0, 1, 1, null!));
        Assert.True(mapping.TryUnmap());
    }

    [Fact]
    public void More_than_a_span_holds_is_refused_as_a_whole()
    {
        using var mapping = MemoryMapping.MapAnonymous((1L << 31) + 1, new() { Sharing = MappingSharing.Private, NoReserve = true });
        Assert.Throws<InvalidOperationException>(() => mapping.Read(bytes => bytes.Length));
        Assert.Throws<InvalidOperationException>(() => mapping.Write(bytes => bytes.Clear()));
        Assert.Equal(1, mapping.Read(1L << 31, 1, bytes => bytes.Length));
    }

    [Fact]
    public void Dispose_inside_a_callback_unmaps_after_it()
    {
        var mapping = MemoryMapping.MapAnonymous(_page);
        var start = mapping.Whole.Address(0);
        var line = ProcMaps.LineAt(start);
        mapping.Write(bytes =>
        {
            mapping.Dispose();
            bytes[7] = 1;
            Assert.Equal(line, ProcMaps.LineAt(start));
            Assert.Throws<ObjectDisposedException>(() => mapping.Read(0, 1, inner => inner.Length));
        });
        Assert.NotEqual(line, ProcMaps.LineAt(start));
    }

    [Fact]
    public void Dispose_from_another_thread_unmaps_after_the_callback()
    {
        var mapping = MemoryMapping.MapAnonymous(_page);
        var start = mapping.Whole.Address(0);
        var line = ProcMaps.LineAt(start);
        mapping.Write(bytes =>
        {
            var disposing = new Thread(mapping.Dispose);
            disposing.Start();
            Assert.True(disposing.Join(_patience));
            bytes.Fill(1);
            Assert.Equal(line, ProcMaps.LineAt(start));
        });
        Assert.NotEqual(line, ProcMaps.LineAt(start));
    }

    [Fact]
    public void Callbacks_may_nest()
    {
        using var mapping = MemoryMapping.MapAnonymous(_page);
        mapping.Write(0, 3, bytes => "abc"u8.CopyTo(bytes));
        mapping.Read(0, 3, outer => mapping.Write(10, 3, outer, static (inner, outer) => outer.CopyTo(inner)));
        Assert.Equal("abc"u8.ToArray(), mapping.Read(10, 3, bytes => bytes.ToArray()));
    }

    [Fact]
    public void Copies_in_and_out()
    {
        using var mapping = MemoryMapping.MapAnonymous(_page);
        mapping.WriteAt(10, [1, 2, 3]);
        var three = new byte[3];
        mapping.ReadAt(10, three);
        Assert.Equal([1, 2, 3], three);
        mapping.Write(101, (5, 7L));
        Assert.Equal((5, 7L), mapping.Read<(int, long)>(101));
        Assert.Throws<ArgumentOutOfRangeException>(() => mapping.WriteAt(_page - 2, three));
        Assert.Throws<ArgumentOutOfRangeException>(() => mapping.ReadAt(-1, three));
        Assert.Throws<ArgumentOutOfRangeException>(() => mapping.Read<long>(_page - 7));
        mapping.Dispose();
        Assert.Throws<ObjectDisposedException>(() => mapping.WriteAt(0, three));
        Assert.Throws<ObjectDisposedException>(() => mapping.Read<byte>(0));
    }

    [Fact]
    public void A_walk_over_matches_that_was_ended_stays_ended()
    {
        using var mapping = MemoryMapping.MapAnonymous(_page);
        var matches = mapping.Matches("\0"u8);
        Assert.True(matches.MoveNext());
        var copy = matches;
        matches.Dispose();
        copy.Dispose();
        mapping.Dispose(); // unmapped: the walk has given its hold back, once
        Assert.Throws<ObjectDisposedException>(() => _ = mapping.Whole);
        var isEnded = false;
        try
        {
            copy.MoveNext();
        }
        catch (ObjectDisposedException)
        {
            isEnded = true;
        }

        Assert.True(isEnded);
        Assert.False(default(ByteMatches).MoveNext());
        Assert.False(default(MatchingLines).MoveNext());
    }

    // Threads use the bytes while another disposes: each either has them, or gets the exception.
    [Fact]
    public void Callbacks_and_Dispose_race_without_a_fault() => DisposeRace.Run(
        rounds: 100, spins: 20, use: mapping => mapping.Write(0, _page, bytes => bytes[0]++));

    [Fact]
    public void Scopes_and_Dispose_race_without_a_fault() => DisposeRace.Run(
        rounds: 50, spins: 200, use: mapping =>
        {
            using (mapping.Writable(0, _page)) mapping.Write(0, 1);
        });
}
