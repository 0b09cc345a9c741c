// A region's header as a validated copy: read once at attach, checked whole, and never read again.

using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;
using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using ShmIpc.Memory;

namespace ShmIpc.Regions;

internal sealed class RegionHeader
{
    private RegionHeader(byte[] bytes, string path)
    {
        Path = path;
        TotalBytes = (long)Word64(bytes, RegionLayout.TotalBytesOffset);
        RegionId = new Guid(bytes.AsSpan(RegionLayout.RegionIdOffset, 16));
        Kind = (RegionKind)Word32(bytes, RegionLayout.KindOffset);
        PayloadSchema = Word64(bytes, RegionLayout.SchemaOffset);
        int formatBytes = Math.Min((int)bytes[RegionLayout.FormatOffset], RegionLayout.FormatBytes - 1);
        PayloadFormat = Encoding.UTF8.GetString(bytes, RegionLayout.FormatOffset + 1, formatBytes);
        Sections = ReadSections(bytes);
        Settings = ReadSettings(bytes);
    }

    public string Path { get; }

    public long TotalBytes { get; }

    public Guid RegionId { get; }

    public RegionKind Kind { get; }

    public string PayloadFormat { get; }

    public ulong PayloadSchema { get; }

    public IReadOnlyList<RegionSection> Sections { get; }

    /// <summary>Bytes from the start that everybody maps, readable and writable. In a channel, what lies in front of the lanes' data; in a
    /// shared value, everything. Valid once the sections were compared with those that the kind of region must have.</summary>
    public long ControlBytes => Kind == RegionKind.Value
        ? RegionBlueprint.Align(Section(SectionKind.Value).End, LinuxProcess.PageSizeBytes)
        : Section(SectionKind.LaneData).Offset;

    /// <summary>Always 32 words; those that nobody set are 0.</summary>
    public IReadOnlyList<ulong> Settings { get; }

    /// <summary>Writes the header of a region that has no name yet.</summary>
    public static void Write(Span<byte> page, RegionBlueprint blueprint)
    {
        Span<byte> header = page[..RegionLayout.HeaderBytes];
        Atomics.Clear(header);
        Put64(header, RegionLayout.MagicOffset, RegionLayout.Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(header[RegionLayout.MajorOffset..], RegionLayout.Major);
        BinaryPrimitives.WriteUInt16LittleEndian(header[RegionLayout.MinorOffset..], RegionLayout.Minor);
        Put32(header, RegionLayout.EndianOffset, RegionLayout.EndianMark);
        Put32(header, RegionLayout.HeaderBytesOffset, RegionLayout.HeaderBytes);
        Put32(header, RegionLayout.PageBytesOffset, (uint)LinuxProcess.PageSizeBytes);
        Put64(header, RegionLayout.TotalBytesOffset, (ulong)blueprint.TotalBytes);
        Guid.NewGuid().TryWriteBytes(header.Slice(RegionLayout.RegionIdOffset, 16));
        if (Guid.TryParse(LinuxProcess.BootId, out Guid boot))
        {
            boot.TryWriteBytes(header.Slice(RegionLayout.BootIdOffset, 16));
            boot.TryWriteBytes(header.Slice(RegionLayout.OrderedInBootOffset, 16));
        }

        Put32(header, RegionLayout.CreatorPidOffset, (uint)LinuxProcess.ProcessId());
        Put32(header, RegionLayout.CreatorUidOffset, LinuxProcess.EffectiveUserId);
        Put64(header, RegionLayout.CreatedOffset, WallClock.UnixNanoseconds());
        Put32(header, RegionLayout.KindOffset, (uint)blueprint.Kind);
        Put32(header, RegionLayout.SectionCountOffset, (uint)blueprint.Sections.Count);
        Put64(header, RegionLayout.SchemaOffset, blueprint.PayloadSchema);
        header[RegionLayout.FormatOffset] = (byte)Encoding.UTF8.GetBytes(
            blueprint.PayloadFormat, header.Slice(RegionLayout.FormatOffset + 1, RegionLayout.FormatBytes - 1));
        for (int i = 0; i < blueprint.Sections.Count; i++)
        {
            RegionSection section = blueprint.Sections[i];
            Span<byte> entry = header.Slice(
                RegionLayout.SectionTableOffset + (i * RegionLayout.SectionEntryBytes), RegionLayout.SectionEntryBytes);
            Put32(entry, 0, (uint)section.Kind);
            Put32(entry, 4, (uint)section.Count);
            Put64(entry, 8, (ulong)section.Offset);
            Put64(entry, 16, (ulong)section.LengthBytes);
            Put64(entry, 24, (ulong)section.StrideBytes);
        }

        for (int i = 0; i < blueprint.Settings.Count; i++)
        {
            Put64(header, RegionLayout.SettingsOffset + (i * sizeof(ulong)), blueprint.Settings[i]);
        }

        Put32(header, RegionLayout.CrcOffset, Crc32C(header[..RegionLayout.CrcOffset]));
        Put32(header, RegionLayout.StateOffset, RegionLayout.StateInUse);
    }

    /// <summary>Checks everything that can be checked without a blueprint.</summary>
    /// <exception cref="ShmRegionFormatException">The file is not a region of this version, whole and undamaged.</exception>
    public static RegionHeader Read(SafeFileHandle file, long fileBytes, string path)
    {
        if (fileBytes < RegionLayout.HeaderBytes)
        {
            throw Refuse(path, $"it has {fileBytes} bytes, and a region's header alone has {RegionLayout.HeaderBytes}. It is empty, "
                + "truncated, or not a region");
        }

        byte[] bytes = new byte[RegionLayout.HeaderBytes];
        int read = LinuxFile.ReadAt(file, bytes, 0);
        if (read != bytes.Length || Word64(bytes, RegionLayout.MagicOffset) != RegionLayout.Magic)
        {
            throw Refuse(path, $"it starts with {Convert.ToHexString(bytes, 0, 8)}, and a region starts with 8953484D4950430A. It "
                + "is not a region");
        }

        if (Word32(bytes, RegionLayout.EndianOffset) != RegionLayout.EndianMark)
        {
            throw Refuse(path, "it was written on a machine of another byte order");
        }

        int major = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(RegionLayout.MajorOffset));
        int minor = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(RegionLayout.MinorOffset));
        if (major != RegionLayout.Major)
        {
            throw Refuse(path, $"its layout version is {major}.{minor}, and this library reads {RegionLayout.Major}.x. Use the same "
                + "version of ShmIpc on both sides");
        }

        uint found = Word32(bytes, RegionLayout.CrcOffset);
        uint expected = Crc32C(bytes.AsSpan(0, RegionLayout.CrcOffset));
        if (found != expected)
        {
            throw Refuse(path, $"its header is damaged: checksum 0x{found:X8}, computed 0x{expected:X8}");
        }

        if (Word32(bytes, RegionLayout.PageBytesOffset) != LinuxProcess.PageSizeBytes)
        {
            throw Refuse(path, $"it was made for pages of {Word32(bytes, RegionLayout.PageBytesOffset)} bytes, and here they have "
                + $"{LinuxProcess.PageSizeBytes}");
        }

        uint headerBytes = Word32(bytes, RegionLayout.HeaderBytesOffset);
        if (headerBytes != RegionLayout.HeaderBytes)
        {
            throw Refuse(path, $"it says that its header has {headerBytes} bytes, and in this version a header has "
                + $"{RegionLayout.HeaderBytes}");
        }

        uint sections = Word32(bytes, RegionLayout.SectionCountOffset);
        if (sections > RegionLayout.MaxSections)
        {
            throw Refuse(path, $"it says that it has {sections} sections, and a section table holds {RegionLayout.MaxSections}");
        }

        RegionHeader header = new(bytes, path);
        if (header.TotalBytes != fileBytes)
        {
            throw Refuse(path, $"the file has {fileBytes} bytes and its header says {header.TotalBytes}. It was truncated or extended");
        }

        header.CheckSections();
        return header;
    }

    /// <summary>Refuses a region that is not what the caller asked for; values that the caller left open are not compared.</summary>
    public void Expect(RegionKind kind, string payloadFormat, ulong payloadSchema)
    {
        if (Kind != kind)
        {
            throw Refuse(Path, $"it is a region of kind {Kind}, and {kind} was asked for");
        }

        if (PayloadFormat != payloadFormat)
        {
            throw Refuse(Path, $"its payload format is \"{PayloadFormat}\", and \"{payloadFormat}\" was asked for. Use the same "
                + "message type and serializer on both sides");
        }

        if (PayloadSchema != payloadSchema)
        {
            throw Refuse(Path, $"its payload schema is 0x{PayloadSchema:X16}, and 0x{payloadSchema:X16} was asked for. Use the same "
                + "definition of the message type on both sides");
        }
    }

    /// <summary>Refuses an existing region whose value of an option differs from what was asked for; null fits anything.</summary>
    public static void ExpectOption<T>(string path, string option, T found, T? asked, string region = "the channel")
        where T : struct
    {
        if (asked is { } value && !value.Equals(found))
        {
            throw Refuse(path, $"its {option} is {found}, and {value} was asked for. Leave the option out to take {region} as it is");
        }
    }

    /// <summary>Refuses a format's name that the header has no room for.</summary>
    /// <exception cref="ArgumentException">It is null, empty or too long.</exception>
    public static void CheckFormat(string payloadFormat)
    {
        int bytes = payloadFormat is null ? 0 : Encoding.UTF8.GetByteCount(payloadFormat);
        if (bytes is 0 or > RegionLayout.FormatBytes - 1)
        {
            throw new ArgumentException(
                $"The payload format \"{payloadFormat}\" has {bytes} bytes of UTF-8, and a region's header has room for 1 to "
                + $"{RegionLayout.FormatBytes - 1}. "
                + "Give the serializer another Format.",
                nameof(payloadFormat));
        }
    }

    public RegionSection Section(SectionKind kind)
    {
        foreach (RegionSection section in Sections)
        {
            if (section.Kind == kind)
            {
                return section;
            }
        }

        throw Refuse(Path, $"it has no section of kind {kind}");
    }

    public static ShmRegionFormatException Refuse(string path, string reason) =>
        new($"Cannot use {path} as a shared region: {reason}. If nobody needs it, delete it and create it anew.");

    /// <summary>CRC32C (Castagnoli), as in iSCSI and ext4.</summary>
    public static uint Crc32C(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in bytes)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return ~crc;
    }

    private static List<RegionSection> ReadSections(byte[] bytes)
    {
        int count = (int)Word32(bytes, RegionLayout.SectionCountOffset);
        List<RegionSection> sections = new(count);
        for (int i = 0; i < count; i++)
        {
            int entry = RegionLayout.SectionTableOffset + (i * RegionLayout.SectionEntryBytes);
            sections.Add(new RegionSection(
                (SectionKind)Word32(bytes, entry),
                (int)Word32(bytes, entry + 4),
                (long)Word64(bytes, entry + 8),
                (long)Word64(bytes, entry + 16),
                (long)Word64(bytes, entry + 24)));
        }

        return sections;
    }

    private static ulong[] ReadSettings(byte[] bytes)
    {
        ulong[] settings = new ulong[RegionLayout.MaxSettings];
        for (int i = 0; i < settings.Length; i++)
        {
            settings[i] = Word64(bytes, RegionLayout.SettingsOffset + (i * sizeof(ulong)));
        }

        return settings;
    }

    /// <summary>A checksum protects against accidents only: whoever can write the file can write a fitting checksum.</summary>
    private void CheckSections()
    {
        long end = RegionLayout.HeaderBytes;
        HashSet<SectionKind> seen = [];
        foreach (RegionSection section in Sections)
        {
            bool isWhole = section.Count > 0 && section.StrideBytes > 0
                && section.Offset >= end && section.Offset % RegionLayout.SectionAlignmentBytes == 0
                && section.LengthBytes > 0 && section.LengthBytes <= TotalBytes - section.Offset
                && section.StrideBytes <= section.LengthBytes / section.Count
                && section.StrideBytes * section.Count == section.LengthBytes
                && seen.Add(section.Kind);
            if (!isWhole)
            {
                throw Refuse(Path, string.Create(
                    CultureInfo.InvariantCulture,
                    $"its section table is damaged at {section}. Expected: each kind once, in ascending order from byte {end}, on a "
                    + $"multiple of {RegionLayout.SectionAlignmentBytes}, count times stride long, and in the file's {TotalBytes} bytes"));
            }

            end = section.End;
        }
    }

    private static uint Word32(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[offset..]);

    private static ulong Word64(ReadOnlySpan<byte> bytes, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[offset..]);

    private static void Put32(Span<byte> bytes, int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(bytes[offset..], value);

    private static void Put64(Span<byte> bytes, int offset, ulong value) =>
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[offset..], value);
}
