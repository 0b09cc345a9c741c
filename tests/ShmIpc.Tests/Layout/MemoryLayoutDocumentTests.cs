using System.Text;
using System.Text.RegularExpressions;
using ShmIpc.Channels;
using ShmIpc.Interop;
using ShmIpc.Memory;
using ShmIpc.Regions;
using ShmIpc.Tests.Regions;
using Xunit;

namespace ShmIpc.Tests.Layout;

/// <summary>The worked example of docs/memory-layout.md is made anew from a real channel, and compared byte by byte.</summary>
public sealed partial class MemoryLayoutDocumentTests : IDisposable
{
    private const int HexColumns = 58;
    private readonly RegionScene _scene = new();

    [Fact]
    public void The_worked_example_is_what_a_channel_looks_like()
    {
        Assert.SkipUnless(Environment.SystemPageSize == 4096,
            $"The example has pages of 4096 bytes; here they have {Environment.SystemPageSize}.");
        string[] written = [.. Document().Split('\n').Where(line => DumpLine().IsMatch(line)).Select(line => line[..HexColumns])];
        string[] made = Dump(ExampleRegion());
        Assert.True(
            made.SequenceEqual(written),
            "The worked example of docs/memory-layout.md is not what a channel looks like. "
            + "If the layout changed, raise RegionLayout.Major/Minor. "
            + $"The example is now:\n{string.Join('\n', made)}\n");
    }

    [Fact]
    public void The_document_names_the_version_it_describes() => Assert.Contains(
        $"layout version {RegionLayout.Major}.{RegionLayout.Minor}", Document(), StringComparison.OrdinalIgnoreCase);

    public void Dispose() => _scene.Dispose();

    private static string Document() => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "docs", "memory-layout.md"));

    /// <summary>Two participants, two messages, one of them read; all that differs from run to run has the example's value.</summary>
    private byte[] ExampleRegion()
    {
        using ShmByteChannel channel = ShmByteChannel.Create(RegionScene.Name, RegionScene.Options(_scene.Root));
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer consumer = channel.CreateConsumer();
        Assert.True(producer.TryWrite("hello"u8));
        Assert.True(producer.TryWrite("shared memory"u8));
        Assert.True(consumer.TryRead(out _));
        consumer.Release();
        byte[] bytes = new byte[new FileInfo(_scene.File).Length];
        using (FileStream file = new(_scene.File, FileMode.Open, FileAccess.Read, FileShare.ReadWrite))
        {
            file.ReadExactly(bytes);
        }

        Assert.Equal(RegionHeader.Crc32C(bytes.AsSpan(0, RegionLayout.CrcOffset)), RegionBytes.Get32(bytes, RegionLayout.CrcOffset));
        Assert.Equal(new Guid(LinuxProcess.BootId), new Guid(bytes.AsSpan(RegionLayout.BootIdOffset, 16)));
        Replace32(RegionLayout.CreatorUidOffset, LinuxProcess.EffectiveUserId, 1000);
        Replace32(RegionLayout.CreatorPidOffset, (uint)Environment.ProcessId, 4242);
        for (int i = 0; i < 16; i++)
        {
            bytes[RegionLayout.RegionIdOffset + i] = (byte)(i * 0x11);
        }

        Assert.Equal(new Guid(LinuxProcess.BootId), new Guid(bytes.AsSpan(RegionLayout.OrderedInBootOffset, 16)));
        new Guid("01234567-89ab-cdef-0123-456789abcdef").TryWriteBytes(bytes.AsSpan(RegionLayout.BootIdOffset));
        new Guid("01234567-89ab-cdef-0123-456789abcdef").TryWriteBytes(bytes.AsSpan(RegionLayout.OrderedInBootOffset));
        ReplaceTime(RegionLayout.CreatedOffset, 0);
        int participants = (int)RegionBytes.Get64(bytes, RegionLayout.SectionTableOffset + 8);
        for (int slot = 0; slot < 2; slot++)
        {
            int offset = participants + (slot * ParticipantLayout.SlotBytes);
            Replace32(offset + ParticipantLayout.ProcessIdOffset, (uint)Environment.ProcessId, 4242 + ((uint)slot * 101));
            ReplaceTime(offset + ParticipantLayout.JoinedOffset, slot + 1);
        }

        RegionBytes.FitChecksum(bytes);
        return bytes;

        void Replace32(int offset, uint expected, uint example)
        {
            Assert.Equal(expected, RegionBytes.Get32(bytes, offset));
            RegionBytes.Put32(bytes, offset, example);
        }

        void ReplaceTime(int offset, int seconds)
        {
            DateTime found = DateTime.UnixEpoch.AddTicks((long)(RegionBytes.Get64(bytes, offset) / 100));
            Assert.InRange(found, DateTime.UtcNow.AddMinutes(-5), DateTime.UtcNow.AddMinutes(5));
            DateTime example = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc).AddSeconds(seconds);
            RegionBytes.Put64(bytes, offset, (ulong)(example - DateTime.UnixEpoch).Ticks * 100);
        }
    }

    /// <summary>Lines of 16 bytes, without those that are all zero.</summary>
    private static string[] Dump(byte[] bytes)
    {
        List<string> lines = [];
        for (int offset = 0; offset < bytes.Length; offset += 16)
        {
            ReadOnlySpan<byte> row = bytes.AsSpan(offset, 16);
            if (row.IndexOfAnyExcept((byte)0) >= 0)
            {
                StringBuilder line = new($"{offset:x8} ");
                for (int i = 0; i < 16; i++)
                {
                    line.Append(i == 8 ? "  " : " ").Append($"{row[i]:x2}");
                }

                lines.Add(line.ToString());
            }
        }

        Assert.All(lines, line => Assert.Equal(HexColumns, line.Length));
        return [.. lines];
    }

    [GeneratedRegex("^[0-9a-f]{8} ( [0-9a-f]{2}){8} ( [0-9a-f]{2}){8}")]
    private static partial Regex DumpLine();
}
