using CsCheck;
using ShmIpc.Rings;
using Xunit;

namespace ShmIpc.Tests.Rings;

public class RecordHeaderTests
{
    [Fact]
    public void The_word_is_laid_out_as_documented()
    {
        Assert.Equal(0x8000_0000_0000_0000UL, RecordHeader.Encode(0, 0));
        Assert.Equal(0x8012_3456_0000_0ABCUL, RecordHeader.Encode(0x123456, 0xABC));
        Assert.Equal(0x80FF_FFFF_7FFF_FFFFUL, RecordHeader.Encode(0xFF_FFFF, int.MaxValue));
        Assert.Equal(0x8000_0001_0000_0000UL, RecordHeader.Encode((5L << 24) + 1, 0)); // the low 24 bits of the number
        Assert.Equal(0x8000_0000_0000_0000UL, RecordHeader.Present);
        Assert.Equal(0x0100_0000_0000_0000UL, RecordHeader.TimestampFlag);
        Assert.Equal(0x0200_0000_0000_0000UL, RecordHeader.TraceContextFlag);
        Assert.Equal(0x0400_0000_0000_0000UL, RecordHeader.ChecksumFlag);
        Assert.Equal(0x0800_0000_0000_0000UL, RecordHeader.DeliveryKeyFlag);
    }

    [Fact]
    public void What_is_encoded_is_decoded_and_valid() =>
        Gen.Select(Gen.Long[0, long.MaxValue], Gen.Int[0, 2032]).Sample((sequence, bytes) =>
        {
            ulong header = RecordHeader.Encode(sequence, bytes);
            return RecordHeader.PayloadBytes(header) == (uint)bytes
                && RecordHeader.Sequence24(header) == ((ulong)sequence & 0xFF_FFFF)
                && RecordHeader.ExtensionBytes(header) == 0
                && RecordHeader.IsValid(header, sequence, 2032)
                && !RecordHeader.IsValid(header, sequence + 1, 2032)
                && !RecordHeader.IsValid(header, sequence, bytes - 1)
                && RecordHeader.RecordBytes(0, bytes) is long record && record % 8 == 0 && record >= bytes + 8 && record < bytes + 16;
        });

    [Fact]
    public void Extensions_count_towards_the_limit()
    {
        ulong header = RecordHeader.Encode(7, 100) | RecordHeader.TimestampFlag | RecordHeader.TraceContextFlag
            | RecordHeader.ChecksumFlag | RecordHeader.DeliveryKeyFlag;
        Assert.Equal(56, RecordHeader.ExtensionBytes(header));
        Assert.True(RecordHeader.IsValid(header, 7, 156));
        Assert.False(RecordHeader.IsValid(header, 7, 155));
    }

    [Fact]
    public void No_word_that_a_producer_cannot_write_is_valid()
    {
        Assert.False(RecordHeader.IsValid(0, 0, 2032));
        Assert.False(RecordHeader.IsValid(RecordHeader.Encode(7, 8) & ~RecordHeader.Present, 7, 2032));
        for (int flag = 60; flag < 63; flag++)
        {
            Assert.False(RecordHeader.IsValid(RecordHeader.Encode(7, 8) | (1UL << flag), 7, 2032));
        }

        Assert.False(RecordHeader.IsValid(RecordHeader.Encode(7, -1), 7, 2032)); // 4 GiB
    }
}
