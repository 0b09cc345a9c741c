// Views and copies: bytes in place for as long as the view is open, and exceptions where there would be a fault.

using System.Diagnostics.CodeAnalysis;
using ShmIpc.Memory;
using Xunit;

namespace ShmIpc.Tests.Memory;

public sealed class MappingViewTests
{
    private static readonly int _page = Environment.SystemPageSize;

    [Fact]
    public void A_view_shows_the_bytes_in_place()
    {
        using var mapping = MemoryMapping.MapAnonymous(2 * _page);
        using (var writing = mapping.OpenWrite(_page - 2, 4)) "abcd"u8.CopyTo(writing.Span);
        using var reading = mapping.OpenRead(_page - 2, 4);
        Assert.Equal("abcd"u8, reading.Span);
        Assert.Equal(4, reading.LengthBytes);
        Assert.Equal(mapping.Whole.Address(_page - 2), reading.Address);
        using var whole = mapping.OpenRead();
        Assert.Equal(2 * _page, whole.Span.Length);
    }

    [Fact]
    public void An_open_view_keeps_the_memory_after_Dispose()
    {
        var mapping = MemoryMapping.MapAnonymous(_page);
        var start = mapping.Whole.Address(0);
        var line = ProcMaps.LineAt(start);
        using (var view = mapping.OpenWrite())
        {
            mapping.Dispose();
            view.Span[7] = 1;
            Assert.Equal(line, ProcMaps.LineAt(start));
            Assert.Throws<ObjectDisposedException>(() => { using var another = mapping.OpenRead(0, 1); });
        }

        Assert.NotEqual(line, ProcMaps.LineAt(start));
    }

    [Fact]
    public void A_copy_of_a_closed_view_is_closed()
    {
        using var mapping = MemoryMapping.MapAnonymous(_page);
        ReadableView copy = default;
        Assert.True(copy.Span.IsEmpty);
        using (var view = mapping.OpenRead(0, 1)) copy = view;
        var isClosed = false;
        try
        {
            _ = copy.Span;
        }
        catch (ObjectDisposedException)
        {
            isClosed = true;
        }

        Assert.True(isClosed);
    }

    // What the safety of views rests on: the compiler ties a span to the variable of its view, and nothing but the end of the using closes it.
    [Theory]
    [InlineData(typeof(ReadableView))]
    [InlineData(typeof(WritableView))]
    public void The_compiler_keeps_spans_inside_the_using(Type view)
    {
        Assert.True(view.IsByRefLike);
        Assert.Contains(view.GetProperty("Span")!.GetCustomAttributes(false), attribute => attribute is UnscopedRefAttribute);
        Assert.Null(view.GetMethod("Dispose"));
        Assert.Contains(typeof(IDisposable), view.GetInterfaces());
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

    // Threads open views while another disposes: each either has its bytes, or gets the exception.
    [Fact]
    public void Views_and_Dispose_race_without_a_fault() => DisposeRace.Run(
        rounds: 100, spins: 20, use: mapping =>
        {
            using var view = mapping.OpenWrite(0, _page);
            view.Span[0]++;
        });
}
