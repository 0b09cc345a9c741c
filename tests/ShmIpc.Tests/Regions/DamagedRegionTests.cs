using System.Buffers.Binary;
using System.Diagnostics;
using ShmIpc.Channels;
using ShmIpc.Regions;
using Xunit;

namespace ShmIpc.Tests.Regions;

/// <summary>Files that are no region, or no longer: every way in refuses them, deleting them works, and then the name is free
/// again.</summary>
public sealed class DamagedRegionTests : IDisposable
{
    private const string Cure = "If nobody needs it, delete it and create it anew.";
    private readonly RegionScene _scene = new();

    [Fact]
    public void An_empty_file()
    {
        Put([]);
        IsRefusedAndCured("has 0 bytes", "header alone has 4096");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2048)]
    [InlineData(4095)]
    public void A_truncated_header(int bytes)
    {
        _scene.CreateAbandoned();
        Resize(bytes);
        IsRefusedAndCured($"has {bytes} bytes", "header alone has 4096", "truncated");
    }

    [Theory]
    [InlineData(4096, "truncated")]
    [InlineData(5000, "truncated")]
    [InlineData(-1, "truncated")]
    [InlineData(1, "extended")]
    [InlineData(1 << 20, "extended")]
    public void A_truncated_or_extended_region(int bytes, string what)
    {
        _scene.CreateAbandoned();
        long whole = new FileInfo(_scene.File).Length;
        long changed = bytes >= 4096 && what == "truncated" ? bytes : whole + bytes;
        Resize(changed);
        IsRefusedAndCured($"the file has {changed} bytes", $"its header says {whole}", what);
    }

    [Fact]
    public void Random_bytes()
    {
        byte[] bytes = new byte[65536];
        new Random(1).NextBytes(bytes);
        Put(bytes);
        IsRefusedAndCured($"starts with {Convert.ToHexString(bytes, 0, 8)}", "a region starts with 8953484D4950430A", "not a region");
    }

    [Fact]
    public void All_zero()
    {
        Put(new byte[65536]);
        IsRefusedAndCured("starts with 0000000000000000", "not a region");
    }

    [Fact]
    public void Another_major_version()
    {
        _scene.CreateAbandoned();
        RegionBytes.EditHeader(_scene.File, header =>
        {
            BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(8), 3);
            BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(10), 7);
        });
        IsRefusedAndCured("layout version is 3.7", "reads 2.x", "same version of ShmIpc on both sides");
    }

    [Fact]
    public void A_newer_minor_version_is_accepted()
    {
        _scene.CreateAbandoned();
        RegionBytes.EditHeader(_scene.File, header => BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(10), 9));
        using ShmByteChannel channel = _scene.Open();
        using ByteConsumer consumer = channel.CreateConsumer();
        Assert.True(consumer.TryRead(out ShmRecord record));
        Assert.Equal("left behind"u8, record.Payload);
    }

    [Fact]
    public void Another_byte_order()
    {
        _scene.CreateAbandoned();
        RegionBytes.EditHeader(_scene.File, header => RegionBytes.Put32(header, 12, 0x0403_0201));
        IsRefusedAndCured("another byte order");
    }

    [Theory]
    [InlineData(0x20)]
    [InlineData(0x100)]
    [InlineData(0x7F0)]
    [InlineData(0x7FC)]
    public void A_bit_that_flipped_anywhere_in_the_header(int offset)
    {
        _scene.CreateAbandoned();
        RegionBytes.EditHeader(_scene.File, header => header[offset] ^= 0x10, isChecksumFitted: false);
        IsRefusedAndCured("header is damaged: checksum 0x", "computed 0x");
    }

    [Theory]
    [InlineData(16, "header has 8192 bytes", "4096")]
    [InlineData(20, "pages of 8192 bytes", "here they have")]
    [InlineData(24, "its header says 8192", "the file has")]
    [InlineData(80, "kind 8192", "Channel was asked for")]
    [InlineData(84, "8192 sections", "holds 32")]
    [InlineData(88, "payload schema is 0x0000000000002000", "same definition")]
    public void A_header_field_of_another_meaning(int offset, params string[] parts)
    {
        Assert.SkipWhen(Environment.SystemPageSize == 8192, "8192 would be right here.");
        _scene.CreateAbandoned();
        RegionBytes.EditHeader(_scene.File, header => RegionBytes.Put32(header, offset, 8192));
        IsRefusedAndCured(parts);
    }

    [Fact]
    public void A_state_that_is_neither_in_use_nor_deleted()
    {
        _scene.CreateAbandoned();
        RegionBytes.EditHeader(_scene.File, header => RegionBytes.Put32(header, RegionLayout.StateOffset, 7));
        IsRefusedAndCured("its state is 7", "in use (1) or deleted (2)");
    }

    [Fact]
    public void What_a_dead_deleter_left_is_deleted_by_whoever_finds_it()
    {
        _scene.CreateAbandoned();
        MarkDeleted();
        Assert.Contains("There is no region", Assert.Throws<ShmRegionNotFoundException>(_scene.Open).Message, StringComparison.Ordinal);
        Assert.Empty(RegionScene.Traces(_scene.Root));
        _scene.CreateAbandoned();
        MarkDeleted();
        using (ShmByteChannel channel = ShmByteChannel.CreateOrOpen(RegionScene.Name, RegionScene.Options(_scene.Root)))
        {
            using ByteProducer producer = channel.CreateProducer();
            producer.Write("new"u8);
        }

        MarkDeleted();
        Assert.True(ShmChannel.Delete(RegionScene.Name, _scene.Root));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_scene.Root));

        void MarkDeleted() =>
            RegionBytes.EditHeader(_scene.File, header => RegionBytes.Put32(header, RegionLayout.StateOffset, RegionLayout.StateDeleted));
    }

    [Fact]
    public void Every_hostile_section_table_is_refused()
    {
        Assert.SkipUnless(Environment.SystemPageSize == 4096, "The sections below are those of 4096-byte pages.");
        _scene.CreateAbandoned();
        byte[] whole = File.ReadAllBytes(_scene.File);
        int cases = 0;
        for (int section = 0; section < 7; section++)
        {
            int entry = RegionLayout.SectionTableOffset + (section * RegionLayout.SectionEntryBytes);
            uint kind = RegionBytes.Get32(whole, entry);
            foreach (uint other in new uint[] { 0, 99, uint.MaxValue, (kind % 7) + 1 })
            {
                Hostile(header => RegionBytes.Put32(header, entry, other));
            }

            uint count = RegionBytes.Get32(whole, entry + 4);
            foreach (uint other in new uint[] { 0, count + 1, count * 2, 33, 65, 257, int.MaxValue, 0x8000_0000, uint.MaxValue })
            {
                Hostile(header => RegionBytes.Put32(header, entry + 4, other));
            }

            for (int field = 8; field < 32; field += 8)
            {
                int offset = entry + field;
                ulong right = RegionBytes.Get64(whole, offset);
                ulong[] wrong =
                [
                    0, 1, right - 1, right + 1, right + 4, right - 8, right + 128, right * 2, right / 2, 64,
                        4096 - 128, 1UL << 20, 1UL << 40,
                    (ulong)long.MaxValue, 1UL << 63, unchecked((ulong)-4096L), ulong.MaxValue,
                ];
                foreach (ulong other in wrong.Where(value => value != right).Distinct())
                {
                    Hostile(header => RegionBytes.Put64(header, offset, other));
                }
            }

            // Another count with a length or a stride that fits it.
            ulong length = RegionBytes.Get64(whole, entry + 16);
            Hostile(header =>
            {
                RegionBytes.Put32(header, entry + 4, count * 2);
                RegionBytes.Put64(header, entry + 24, length / count / 2);
            });
            // this one and all behind it are missing
            Hostile(header => RegionBytes.Put32(header, RegionLayout.SectionCountOffset, (uint)section));
        }

        // A gap, as wide as the address space, in front of the lane data.
        Hostile(header =>
        {
            int data = RegionLayout.SectionTableOffset + (6 * RegionLayout.SectionEntryBytes);
            RegionBytes.Put64(header, data + 8, RegionBytes.Get64(header, data + 8) + 4096);
            RegionBytes.Put64(header, RegionLayout.TotalBytesOffset, (ulong)whole.Length + 4096);
        }, extraBytes: 4096);
        Assert.InRange(cases, 400, 1000);

        void Hostile(Action<byte[]> edit, int extraBytes = 0)
        {
            cases++;
            Put(whole);
            Resize(whole.Length + extraBytes);
            RegionBytes.EditHeader(_scene.File, edit);
            try
            {
                _scene.Refused<ShmRegionFormatException>(_scene.Open, _scene.File, Cure);
                _scene.Refused<ShmRegionFormatException>(_scene.CreateOrOpen, _scene.File, Cure);
                Assert.True(ShmChannel.Delete(RegionScene.Name, _scene.Root)); // works with any table, and rings only what is sound
            }
            catch (Exception broken)
            {
                throw new InvalidOperationException($"hostile table {cases}", broken);
            }
        }
    }

    [Fact]
    public void Unknown_sections_behind_the_lanes_are_left_alone()
    {
        _scene.CreateAbandoned();
        long end = new FileInfo(_scene.File).Length;
        Resize(end + 4096);
        RegionBytes.EditHeader(_scene.File, header =>
        {
            int entry = RegionLayout.SectionTableOffset + (7 * RegionLayout.SectionEntryBytes);
            RegionBytes.Put32(header, entry, 77);
            RegionBytes.Put32(header, entry + 4, 2);
            RegionBytes.Put64(header, entry + 8, (ulong)end);
            RegionBytes.Put64(header, entry + 16, 4096);
            RegionBytes.Put64(header, entry + 24, 2048);
            RegionBytes.Put32(header, RegionLayout.SectionCountOffset, 8);
            RegionBytes.Put64(header, RegionLayout.TotalBytesOffset, (ulong)end + 4096);
        });
        using ShmByteChannel channel = _scene.Open();
        using ByteConsumer consumer = channel.CreateConsumer();
        Assert.True(consumer.TryRead(out _));
    }

    [Fact]
    public void Random_damage_with_a_fitting_checksum_is_refused_or_harmless()
    {
        const int rounds = 3_000;
        int seed = Environment.TickCount;
        Random random = new(seed);
        _scene.CreateAbandoned();
        byte[] whole = File.ReadAllBytes(_scene.File);
        Stopwatch clock = Stopwatch.StartNew();
        for (int round = 0; round < rounds && clock.Elapsed < TimeSpan.FromSeconds(10); round++)
        {
            Put(whole);
            RegionBytes.EditHeader(_scene.File, header =>
            {
                for (int i = random.Next(1, 5); i > 0; i--)
                {
                    header[random.Next(8, 640)] = (byte)(random.Next(2) == 0 ? random.Next(256) : 1 << random.Next(8));
                }
            });
            try
            {
                using ShmByteChannel channel = _scene.Open();
                using ByteProducer producer = channel.CreateProducer();
                using ByteConsumer consumer = channel.CreateConsumer();
                Assert.True(producer.TryWrite("x"u8));
                Assert.True(consumer.TryRead(out _));
            }
            catch (ShmRegionFormatException)
            {
            }
            catch (Exception other)
            {
                throw new InvalidOperationException($"seed {seed}, round {round}", other);
            }
        }
    }

    public void Dispose() => _scene.Dispose();

    private void IsRefusedAndCured(params string[] parts)
    {
        _scene.IsRefused<ShmRegionFormatException>([_scene.File, Cure, .. parts]);
        Assert.True(ShmChannel.Exists(RegionScene.Name, _scene.Root));
        Assert.True(ShmChannel.Delete(RegionScene.Name, _scene.Root));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_scene.Root));
        using ShmByteChannel again = ShmByteChannel.CreateOrOpen(RegionScene.Name, RegionScene.Options(_scene.Root));
        Assert.Equal(0, again.ConsumerCount);
    }

    private void Put(byte[] bytes)
    {
        File.WriteAllBytes(_scene.File, bytes);
        File.SetUnixFileMode(_scene.File, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private void Resize(long bytes)
    {
        using FileStream file = File.Open(_scene.File, FileMode.Open, FileAccess.ReadWrite);
        file.SetLength(bytes);
    }
}
