// The cell alone, on plain memory: its writer stopped between any two stores, and words that no writer leaves.

using System.Diagnostics;
using ShmIpc.Memory;
using ShmIpc.Values;
using Xunit;

namespace ShmIpc.Tests.Values;

public sealed class ValueCellTests : IDisposable
{
    private const int MaxValueBytes = 100;
    private readonly MemoryMapping _memory = MemoryMapping.MapAnonymous(8192);

    private ValueCell Cell => new(Section, MaxValueBytes);

    private MappedSpan Section =>
        _memory.Whole.Slice(0, ValueLayout.BuffersOffset + (ValueLayout.Buffers * ValueLayout.BufferBytes(MaxValueBytes)));

    [Fact]
    public void An_empty_cell_has_version_0_and_nothing_to_read()
    {
        byte[] copy = [];
        Assert.Equal(0, Cell.Read(ref copy, out int length));
        Assert.Equal((0, 0L, 0L), (length, Cell.Version, Cell.VersionToContinue()));
    }

    [Fact]
    public void Each_value_is_read_as_it_was_written_whatever_its_length()
    {
        Random random = new(5);
        byte[] copy = [];
        for (int version = 1; version <= 1_000; version++)
        {
            byte[] value = new byte[random.Next(MaxValueBytes + 1)];
            random.NextBytes(value);
            Cell.Write(version, value);
            Assert.Equal(version, Cell.Read(ref copy, out int length));
            Assert.Equal(value, copy[..length]);
        }

        ValueCell.GiveBack(copy);
    }

    /// <summary>0: nothing; 1: buffer renamed; 2: length, too; 3: half of the value; 4: all of it; 5: version.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void A_writer_that_dies_between_two_stores_leaves_the_value_before_or_the_new_one(int storesDone)
    {
        byte[] copy = [];
        long version = 0;
        for (int round = 0; round < 20; round++)
        {
            long before = version;
            byte[] old = Value(version);
            Die(version + 1, storesDone);
            long expected = storesDone == 5 ? before + 1 : before;
            Assert.Equal(expected, Cell.Read(ref copy, out int length));
            Assert.Equal(expected == 0 ? [] : storesDone == 5 ? Enumerable.Repeat((byte)0xDD, 60) : old, copy[..length]);

            version = Cell.VersionToContinue(); // the successor
            Assert.Equal(expected, version);
            Cell.Write(++version, Value(version));
            Assert.Equal(version, Cell.Read(ref copy, out length));
            Assert.Equal(Value(version), copy[..length]);
        }

        ValueCell.GiveBack(copy);
    }

    [Fact]
    public void A_buffer_is_renamed_before_it_is_overwritten_and_the_version_comes_last()
    {
        // A value that does not fit stops Write where it copies: what it has stored by then is what it stores first.
        Cell.Write(1, Value(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Cell.Write(2, new byte[MaxValueBytes + 128]));
        Assert.Equal((2UL, 1L), (Section.UInt64(Buffer(2)), Cell.Version));
        byte[] copy = [];
        Assert.Equal(1, Cell.Read(ref copy, out _));
        ValueCell.GiveBack(copy);
    }

    [Theory]
    [InlineData((1L << 62) + 1)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    [InlineData(-1)]
    public void A_version_that_no_writer_reaches_is_an_exception(long version)
    {
        Cell.Write(1, Value(1));
        Atomics.Release(ref Section.UInt64(ValueLayout.VersionOffset), (ulong)version);
        AssertDamaged("no writer comes beyond");
        Assert.Throws<ShmCorruptionException>(() => Cell.Version);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(1L << 62)]
    public void A_version_whose_value_is_not_there_is_an_exception(long version)
    {
        Cell.Write(1, Value(1));
        Atomics.Release(ref Section.UInt64(ValueLayout.VersionOffset), (ulong)version);
        AssertDamaged($"{ValueCell.MaxReadAttempts} attempts");
    }

    [Theory]
    [InlineData(MaxValueBytes + 1u)]
    [InlineData((uint)int.MaxValue)]
    [InlineData(0x8000_0000u)]
    [InlineData(uint.MaxValue)]
    public void A_length_beyond_the_most_is_an_exception(uint lengthBytes)
    {
        Cell.Write(1, Value(1));
        Section.UInt32(Buffer(1) + ValueLayout.BufferLengthOffset) = lengthBytes;
        byte[] copy = [];
        Assert.Contains($"{lengthBytes} bytes", Assert.Throws<ShmCorruptionException>(() => Cell.Read(ref copy, out _)).Message,
            StringComparison.Ordinal);
        Cell.Write(2, Value(2));
        Assert.Equal(2, Cell.Read(ref copy, out _));
        ValueCell.GiveBack(copy);
    }

    [Fact]
    public async Task A_peer_that_scribbles_without_pause_is_an_exception_and_no_endless_loop()
    {
        bool isDone = false;
        Task scribbling = OwnThread.Run(() =>
        {
            for (Random random = new(3); !Atomics.Acquire(ref isDone);)
            {
                Atomics.Release(ref Section.UInt64(random.Next((int)Section.LengthBytes / 8) * 8), (ulong)random.NextInt64());
            }
        });

        // The peer may get no processor for a while: reads go on until it has been seen at work.
        byte[] copy = [];
        int refused = 0;
        Stopwatch watch = Stopwatch.StartNew();
        for (int reads = 0; reads < 5_000 || (refused == 0 && watch.Elapsed < TimeSpan.FromSeconds(60)); reads++)
        {
            try
            {
                _ = Cell.Read(ref copy, out int length);
                Assert.InRange(length, 0, MaxValueBytes);
            }
            catch (ShmCorruptionException)
            {
                refused++;
            }
        }

        Atomics.Release(ref isDone, true);
        await scribbling;
        ValueCell.GiveBack(copy);
        Assert.True(refused > 0);
    }

    public void Dispose() => _memory.Dispose();

    private static byte[] Value(long version) => [.. Enumerable.Range(0, (int)(version * 7 % MaxValueBytes)).Select(i => (byte)(version + i))];

    private static long Buffer(long version) =>
        ValueLayout.BuffersOffset + (version % ValueLayout.Buffers * ValueLayout.BufferBytes(MaxValueBytes));

    /// <summary>The stores of Write, as far as they got.</summary>
    private void Die(long version, int storesDone)
    {
        long buffer = Buffer(version);
        if (storesDone > 0) Section.UInt64(buffer) = (ulong)version;
        if (storesDone > 1) Section.UInt32(buffer + ValueLayout.BufferLengthOffset) = 60;
        if (storesDone > 2) Section.Bytes(buffer + ValueLayout.BufferValueOffset, 30).Fill(0xDD);
        if (storesDone > 3) Section.Bytes(buffer + ValueLayout.BufferValueOffset, 60).Fill(0xDD);
        if (storesDone > 4) Section.UInt64(ValueLayout.VersionOffset) = (ulong)version;
    }

    private void AssertDamaged(string message)
    {
        byte[] copy = [];
        Assert.Contains(message, Assert.Throws<ShmCorruptionException>(() => Cell.Read(ref copy, out _)).Message, StringComparison.Ordinal);
        Assert.Throws<ShmCorruptionException>(() => Cell.VersionToContinue());
        ValueCell.GiveBack(copy);
    }
}
