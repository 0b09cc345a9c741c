// Durable writes against a disk that keeps only what was flushed, in the order in which it was: cut the power before and after each flush.

using CsCheck;
using ShmIpc.Memory;
using ShmIpc.Tests.Interop;
using Xunit;

namespace ShmIpc.Tests.Memory;

public sealed class DurableTests : IDisposable
{
    private const int SlotBytes = 64;

    private static readonly int _page = Environment.SystemPageSize;

    private readonly ScratchDirectory _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void The_payload_and_its_word_are_in_the_file()
    {
        using var file = _scratch.NewFile(2 * _page);
        using var mapping = MemoryMapping.MapFile(file, 0, 2 * _page);
        Durable.Write(mapping, 100, [1, 2, 3], _page, 77);
        Assert.Equal(77ul, mapping.Read<ulong>(_page));
        mapping.WriteAt(200, [9]);
        Durable.Commit(mapping, 200, 1, _page, 78);
        var bytes = new byte[2 * _page];
        RandomAccess.Read(file, bytes, 0);
        Assert.Equal([1, 2, 3], bytes[100..103]);
        Assert.Equal((9, 78), (bytes[200], bytes[_page]));
        Durable.Write(mapping, 0, [], _page, 79); // nothing to vouch for is fine
        Assert.Equal(79ul, mapping.Read<ulong>(_page));
    }

    // The disk holds what was flushed, and beyond that any of what was stored since (a kernel writes back when it likes). After each step the
    // word on the disk must vouch for its payload, whichever of the two pictures of each half the disk has.
    [Fact]
    public void At_no_moment_does_the_disk_hold_the_word_without_its_payload()
    {
        Gen.Byte[1, 255].Array[1, 12].Sample(
            values =>
            {
                using var mapping = MemoryMapping.MapAnonymous(_page);
                var disk = new byte[_page];
                for (var i = 0; i < values.Length; i++)
                {
                    var slot = SlotBytes * (1 + i % 2);
                    mapping.WriteAt(slot, [.. Enumerable.Repeat(values[i], SlotBytes)]);
                    var word = ((ulong)slot << 8) | values[i];
                    Durable.Commit(mapping, slot, SlotBytes, 0, word, (offset, length) =>
                    {
                        // Just before the flush: everything in memory may have been written back, or nothing but what was flushed.
                        CheckVouched(disk);
                        CheckVouched(Merge(disk, mapping, fresh: true));
                        CheckVouched(Merge(disk, mapping, fresh: false));
                        mapping.ReadAt(offset, disk.AsSpan((int)offset, (int)length));
                        CheckVouched(disk);
                    });
                    CheckVouched(disk);
                    Assert.Equal(word, BitConverter.ToUInt64(disk));
                }
            },
            iter: 50,
            threads: 1);
    }

    [Fact]
    public void What_cannot_be_durable_is_refused()
    {
        using var file = _scratch.NewFile(_page);
        using var mapping = MemoryMapping.MapFile(file, 0, _page);
        Assert.Throws<ArgumentNullException>(() => Durable.Write(null!, 0, [1], 8, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Durable.Write(mapping, _page - 1, [1, 2], 8, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Durable.Write(mapping, -1, [1], 8, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Durable.Write(mapping, 0, [1], 12, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Durable.Write(mapping, 0, [1], _page, 1));
        Assert.Contains("inside the payload", Assert.Throws<ArgumentException>(() => Durable.Commit(mapping, 4, 8, 8, 1)).Message, StringComparison.Ordinal);
        Durable.Commit(mapping, 0, 8, 8, 1); // they may touch

        mapping.Protect(0, _page, MemoryAccess.ReadOnly);
        Assert.Throws<InvalidOperationException>(() => Durable.Write(mapping, 0, [1], 8, 1));
    }

    [Fact]
    public void Memory_that_reaches_no_disk_is_refused_before_anything_is_stored()
    {
        using var file = _scratch.NewFile(_page);
        using var anonymous = MemoryMapping.MapAnonymous(_page);
        using var copy = MemoryMapping.MapFile(file, 0, _page, new() { Sharing = MappingSharing.Private });
        foreach (var mapping in (MemoryMapping[])[anonymous, copy])
        {
            Assert.Throws<InvalidOperationException>(() => Durable.Write(mapping, 0, [1], 8, 1));
            Assert.Throws<InvalidOperationException>(() => Durable.Write(mapping, 0, [], 8, 1));
            Assert.Throws<InvalidOperationException>(() => Durable.Commit(mapping, 0, 1, 8, 1));
            Assert.Throws<InvalidOperationException>(() => Durable.Commit(mapping, 0, 0, 8, 1));
            Assert.Equal((0, 0ul), (mapping.Read<byte>(0), mapping.Read<ulong>(8)));
        }
    }

    /// <summary>The disk with the word from memory (fresh) or from the disk, and everything else the other way round.</summary>
    private static byte[] Merge(byte[] disk, MemoryMapping mapping, bool fresh)
    {
        var memory = new byte[_page];
        mapping.ReadAt(0, memory);
        return fresh ? [.. memory[..8], .. disk[8..]] : [.. disk[..8], .. memory[8..]];
    }

    private static void CheckVouched(byte[] disk)
    {
        var word = BitConverter.ToUInt64(disk);
        if (word == 0) return;
        Assert.All(disk[(int)(word >> 8)..][..SlotBytes], value => Assert.Equal((byte)word, value));
    }
}
