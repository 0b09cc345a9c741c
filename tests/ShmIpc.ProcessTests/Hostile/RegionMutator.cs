// Makes malformed regions out of sound ones: what disks, careless programs and enemies do to files. The header's checksum is made to fit in
// most cases, as an enemy would, so that what stands behind that check is tried as well.

using System.Buffers.Binary;
using ShmIpc.Regions;

namespace ShmIpc.ProcessTests.Hostile;

internal static class RegionMutator
{
    /// <summary>What can be done to a file, by name.</summary>
    public static readonly (string Name, Func<byte[], RegionCorpus, Random, byte[]> Change)[] Ways =
    [
        ("bit flips", (bytes, _, random) => FlipBits(bytes, random)),
        ("header words", (bytes, _, random) => ReplaceWords(bytes, random, RegionLayout.HeaderBytes)),
        ("any words", (bytes, _, random) => ReplaceWords(bytes, random, bytes.Length)),
        ("section table", (bytes, _, random) => ChangeSections(bytes, random)),
        ("settings", (bytes, _, random) => ChangeSettings(bytes, random)),
        ("length", (bytes, _, random) => ChangeLength(bytes, random)),
        ("length and header", (bytes, _, random) => FitLength(ChangeLength(bytes, random))),
        ("splices", Splice),
        ("random bytes", (bytes, _, random) => RandomBytes(bytes, random)),
        ("state and boot", (bytes, _, random) => ChangeState(bytes, random)),
    ];

    private static readonly ulong[] _bounds =
    [
        0, 1, 2, 3, 7, 8, 64, 127, 128, 255, 256, 257, 4095, 4096, 4097, 8192, 1 << 20, 1 << 29, int.MaxValue, 1UL << 31, uint.MaxValue,
        1UL << 32, 1UL << 40, 1UL << 47, 1UL << 54, 1UL << 62, long.MaxValue, 1UL << 63, ulong.MaxValue - 4095, ulong.MaxValue,
    ];

    private static readonly int[] _lengths = [0, 1, 8, 16, 255, 256, 1280, 2047, 2048, 2052, 4095, 4096, 4097, 8192];

    private const int WordsOfAHeader = (RegionLayout.OrderedInBootOffset / 8) + 2;
    private const int MostLength = 8192;
    private const int LengthStep = 16;

    /// <summary>How many files <see cref="Systematic"/> knows.</summary>
    public static int SystematicWays => (WordsOfAHeader * _bounds.Length) + (2 * MostLength / LengthStep);

    /// <summary>One word of the header replaced by one bound, with a checksum that fits; or the file cut to a length, which the header may
    /// say, too.</summary>
    public static byte[] Systematic(byte[] sound, int number)
    {
        byte[] changed = (byte[])sound.Clone();
        if (number < WordsOfAHeader * _bounds.Length)
        {
            (int word, int bound) = Math.DivRem(number, _bounds.Length);
            BinaryPrimitives.WriteUInt64LittleEndian(changed.AsSpan(word * 8), _bounds[bound]);
            return FitChecksum(changed);
        }

        (int length, int isFitted) = Math.DivRem(number - (WordsOfAHeader * _bounds.Length), 2);
        Array.Resize(ref changed, length * LengthStep);
        return isFitted == 0 ? changed : FitChecksum(FitLength(changed));
    }

    /// <summary>A malformed file; in one of three cases its header's checksum is not made to fit.</summary>
    public static byte[] Mutate(byte[] sound, int way, RegionCorpus corpus, Random random)
    {
        byte[] changed = Ways[way].Change((byte[])sound.Clone(), corpus, random);
        return random.Next(3) == 0 ? changed : FitChecksum(changed);
    }

    private static byte[] FitChecksum(byte[] changed)
    {
        if (changed.Length >= RegionLayout.CrcOffset + sizeof(uint))
        {
            BinaryPrimitives.WriteUInt32LittleEndian(
                changed.AsSpan(RegionLayout.CrcOffset), RegionHeader.Crc32C(changed.AsSpan(0, RegionLayout.CrcOffset)));
        }

        return changed;
    }

    private static byte[] FlipBits(byte[] bytes, Random random)
    {
        int most = random.Next(2) == 0 ? RegionLayout.HeaderBytes : bytes.Length;
        for (int i = random.Next(1, 9); i > 0; i--)
        {
            bytes[random.Next(most)] ^= (byte)(1 << random.Next(8));
        }

        return bytes;
    }

    private static byte[] ReplaceWords(byte[] bytes, Random random, int below)
    {
        for (int i = random.Next(1, 6); i > 0; i--)
        {
            PutBound(bytes, random.Next(below / 8) * 8, random);
        }

        return bytes;
    }

    private static byte[] ChangeSections(byte[] bytes, Random random)
    {
        uint sections = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(RegionLayout.SectionCountOffset));
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            int entry = RegionLayout.SectionTableOffset + (random.Next((int)sections) * RegionLayout.SectionEntryBytes);
            int other = RegionLayout.SectionTableOffset + (random.Next((int)sections) * RegionLayout.SectionEntryBytes);
            switch (random.Next(5))
            {
                case 0: PutBound(bytes, entry + (random.Next(4) * 8), random); break;
                case 1: bytes.AsSpan(other, RegionLayout.SectionEntryBytes).CopyTo(bytes.AsSpan(entry)); break; // overlap
                case 2: bytes.AsSpan(other + 8, 8).CopyTo(bytes.AsSpan(entry + 8)); break; // one stands where another does
                case 3: bytes[entry + random.Next(RegionLayout.SectionEntryBytes)] += (byte)random.Next(256); break;
                default:
                    BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(RegionLayout.SectionCountOffset), (uint)random.Next(40));
                    break;
            }
        }

        return bytes;
    }

    private static byte[] ChangeSettings(byte[] bytes, Random random)
    {
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            int word = RegionLayout.SettingsOffset + (random.Next(random.Next(2) == 0 ? 5 : RegionLayout.MaxSettings) * 8);
            PutBound(bytes, word, random);
        }

        return bytes;
    }

    private static byte[] ChangeLength(byte[] bytes, Random random)
    {
        int length = random.Next(3) switch
        {
            0 => _lengths[random.Next(_lengths.Length)],
            1 => random.Next(bytes.Length),
            _ => bytes.Length + (random.Next(3) switch { 0 => -random.Next(64), 1 => random.Next(64), _ => 4096 * random.Next(-2, 3) }),
        };
        Array.Resize(ref bytes, length);
        return bytes;
    }

    private static byte[] FitLength(byte[] bytes)
    {
        if (bytes.Length >= RegionLayout.HeaderBytes)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(RegionLayout.TotalBytesOffset), (ulong)bytes.Length);
        }

        return bytes;
    }

    /// <summary>The beginning or the middle of another region.</summary>
    private static byte[] Splice(byte[] bytes, RegionCorpus corpus, Random random)
    {
        byte[] other = corpus.Any(random);
        int most = Math.Min(bytes.Length, other.Length);
        int start = random.Next(2) == 0 ? 0 : random.Next(most / 64) * 64;
        int length = random.Next(3) == 0 ? RegionLayout.HeaderBytes : random.Next(most);
        length = Math.Min(length, most - start);
        other.AsSpan(start, length).CopyTo(bytes.AsSpan(start));
        return bytes;
    }

    private static byte[] RandomBytes(byte[] bytes, Random random)
    {
        int start = random.Next(bytes.Length);
        random.NextBytes(bytes.AsSpan(start, random.Next(bytes.Length - start)));
        return bytes;
    }

    private static byte[] ChangeState(byte[] bytes, Random random)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(RegionLayout.StateOffset), (uint)random.Next(4));
        if (random.Next(2) == 0)
        {
            random.NextBytes(bytes.AsSpan(RegionLayout.OrderedInBootOffset, 16));
        }

        return ReplaceWords(bytes, random, bytes.Length);
    }

    private static void PutBound(byte[] bytes, int offset, Random random)
    {
        ulong present = BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(offset));
        ulong value = random.Next(3) switch
        {
            0 => present + (ulong)(random.Next(3) - 1) * (1UL << random.Next(13)),
            1 => ((ulong)random.Next(34) << 32) | (uint)random.Next(34),
            _ => _bounds[random.Next(_bounds.Length)],
        };
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(offset), value);
    }
}
