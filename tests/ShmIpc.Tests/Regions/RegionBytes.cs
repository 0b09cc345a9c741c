// A region file seen as bytes: what a damaged disk, another version or a hostile peer may have made of it.

using System.Buffers.Binary;
using ShmIpc.Regions;

namespace ShmIpc.Tests.Regions;

internal static class RegionBytes
{
    /// <summary>Changes the header; the checksum is made to fit, as a hostile writer would.</summary>
    public static void EditHeader(string path, Action<byte[]> edit, bool isChecksumFitted = true)
    {
        using FileStream file = File.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        byte[] header = new byte[RegionLayout.HeaderBytes];
        file.ReadExactly(header);
        edit(header);
        if (isChecksumFitted)
        {
            FitChecksum(header);
        }

        file.Position = 0;
        file.Write(header);
    }

    public static void FitChecksum(byte[] header) => BinaryPrimitives.WriteUInt32LittleEndian(
        header.AsSpan(RegionLayout.CrcOffset), RegionHeader.Crc32C(header.AsSpan(0, RegionLayout.CrcOffset)));

    public static void Put32(byte[] bytes, int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(offset), value);

    public static void Put64(byte[] bytes, int offset, ulong value) =>
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(offset), value);

    public static uint Get32(byte[] bytes, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(offset));

    public static ulong Get64(byte[] bytes, int offset) => BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(offset));
}
