// The messages below are there for their layout; most of their fields nobody sets.
#pragma warning disable CS0649

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CsCheck;
using ShmIpc.Channels;
using ShmIpc.Serialization;
using Xunit;

namespace ShmIpc.Tests.Serialization;

public sealed class BlittablePayloadTests
{
    private const ulong GoldenQuoteSchema = 0x56611FE4266B131D;

    private enum Side : short
    {
        Buy,
        Sell,
    }

    [Fact]
    public void Structs_of_every_kind_cross_as_they_were()
    {
        Crosses(42);
        Crosses((byte)255);
        Crosses(double.NaN);
        Crosses('\uD800');
        Crosses(true);
        Crosses((Side)12345);
        Crosses(decimal.MinValue);
        Crosses(0.0000000000000000000000000001m);
        Crosses(DateTime.MaxValue);
        Crosses(DateTime.MinValue);
        Crosses(new DateTime(2026, 11, 23, 1, 2, 3, DateTimeKind.Utc));
        Crosses(TimeSpan.MinValue);
        Crosses(Guid.NewGuid());
        Crosses(Int128.MinValue);
        Crosses((Half)1.5);
        Crosses(new Vector3(1, 2, 3));
        Crosses((1, (byte)2, new Quote(3, 4, true)));
        Crosses((1, 2, 3, 4, 5, 6, 7, 8, 9L));
        Crosses(new Quote(long.MaxValue, -1.5, true));
        Crosses(new Packed { A = 1, B = long.MinValue });
        Crosses(new Overlaid { Whole = 0x0123456789ABCDEF });
        Crosses(new Auto { A = 1, B = 2, C = 3 });
        Crosses(new Pair<Quote> { First = new Quote(1, 2, false), Second = new Quote(3, 4, true) });
        Book book = new() { Id = 7 };
        book.Levels[3] = new Quote(9, 8, true);
        Crosses(book);

        static void Crosses<T>(T message)
            where T : unmanaged
        {
            using SerializerScene<T> scene = new(new BlittablePayload<T>());
            Assert.Equal(Bytes(message), Bytes(scene.Exchange(message)));
        }
    }

    [Fact]
    public void Any_values_cross_as_they_were()
    {
        using SerializerScene<Everything> scene = new(new BlittablePayload<Everything>());
        Gen.Select(Gen.Long, Gen.Double, Gen.Bool, Gen.Decimal, Gen.DateTime, Gen.Char, Gen.Guid)
            .Sample((id, price, flag, amount, time, letter, guid) =>
            {
                Everything sent = new(id, price, flag, amount, time, letter, guid, (Side)(id & 0xFFFF));
                Assert.Equal(sent, scene.Exchange(sent));
            }, iter: 5_000, threads: 1);
    }

    [Fact]
    public void The_layout_names_every_field_with_its_offset_and_type()
    {
        Assert.Equal("4 bytes: 0 int", new BlittablePayload<int>().Layout);
        Assert.Equal("2 bytes: 0 short", new BlittablePayload<Side>().Layout);
        Assert.Equal("24 bytes: 0 long Id, 8 double Price, 16 bool IsBid", new BlittablePayload<Quote>().Layout);
        Assert.Equal("9 bytes: 0 byte A, 1 long B", new BlittablePayload<Packed>().Layout);
        Assert.Equal("8 bytes: 0 int Low, 0 long Whole, 4 int High", new BlittablePayload<Overlaid>().Layout);
        Assert.Equal(
            "48 bytes: 0 long First.Id, 8 double First.Price, 16 bool First.IsBid, 24 long Second.Id, 32 double Second.Price, "
            + "40 bool Second.IsBid",
            new BlittablePayload<Pair<Quote>>().Layout);
        Assert.Equal(
            "104 bytes: 0 int Id, 8 long Levels[4 x 24].Id, 16 double Levels[4 x 24].Price, 24 bool Levels[4 x 24].IsBid",
            new BlittablePayload<Book>().Layout);
        Assert.Equal("56 bytes: 0 byte A, 8 long B[5 x 8], 48 bool C[3 x 1]", new BlittablePayload<Buffers>().Layout);
        Assert.Equal("70000 bytes: 0 byte [70000 x 1]", new BlittablePayload<Large>().Layout);
        string beyond = new BlittablePayload<BehindLarge>().Layout;
        Assert.Contains(", 70000 int Tail", beyond, StringComparison.Ordinal);
    }

    [Fact]
    public void The_schema_is_the_same_in_every_run()
    {
        // FNV-1a of "24 bytes: 0 long Id, 8 double Price, 16 bool IsBid", computed elsewhere.
        Assert.Equal(GoldenQuoteSchema, new BlittablePayload<Quote>().Schema);
        Assert.Equal(new BlittablePayload<Quote>().Schema, new BlittablePayload<QuoteOfOthers>("other").Schema);
    }

    [Fact]
    public void Every_difference_of_the_layout_changes_the_schema()
    {
        ulong[] schemas =
        [
            Schema<Quote>(), Schema<SwappedQuote>(), Schema<RenamedQuote>(), Schema<WiderQuote>(), Schema<LongerQuote>(), Schema<PackedQuote>(),
            Schema<Pair<Quote>>(), Schema<Pair<SwappedQuote>>(), Schema<Book>(), Schema<int>(), Schema<uint>(), Schema<float>(),
        ];
        Assert.Equal(schemas.Length, schemas.Distinct().Count());
        Assert.DoesNotContain(0UL, schemas);

        static ulong Schema<T>()
            where T : unmanaged => new BlittablePayload<T>().Schema;
    }

    [Fact]
    public void Another_layout_under_the_same_format_is_refused_at_open()
    {
        using ScratchRoot root = new();
        ShmChannelOptions options = new() { Root = root.Path, LaneCapacityBytes = 4096 };
        using var mine = ShmChannel.Create("quotes", new BlittablePayload<Quote>("quote"), options);
        ShmRegionFormatException refused = Assert.Throws<ShmRegionFormatException>(
            () => ShmChannel.Open("quotes", new BlittablePayload<SwappedQuote>("quote"), options));
        Assert.Contains($"{GoldenQuoteSchema:X16}", refused.Message, StringComparison.Ordinal);
        Assert.Contains($"{new BlittablePayload<SwappedQuote>().Schema:X16}", refused.Message, StringComparison.Ordinal);
        ShmChannel.Open("quotes", new BlittablePayload<QuoteOfOthers>("quote"), options).Dispose();
    }

    [Fact]
    public void What_means_nothing_elsewhere_is_refused_by_name()
    {
        Refused<nint>("native integer");
        Refused<WithPointer>("Next", "pointer");
        Refused<WithCallback>("Call", "pointer");
        Refused<WithHandle>("Inner.Handle", "native integer");
        Refused<WithNullable>("Maybe", "nullable");
        Refused<DateTimeOffset>("DateTimeOffset", "as numbers");
        Refused<Pair<DateOnly>>("First", "DateOnly");
        Refused<System.Text.Rune>("Rune", "as numbers");
        Refused<Empty>("Empty", "no fields");
        Refused<Pair<Empty>>("First", "DynamicDependency");

        static void Refused<T>(params string[] parts)
            where T : unmanaged
        {
            NotSupportedException refused = Assert.Throws<NotSupportedException>(() => new BlittablePayload<T>());
            Assert.Contains(typeof(T).ToString(), refused.Message, StringComparison.Ordinal);
            Assert.All(parts, part => Assert.Contains(part, refused.Message, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void A_message_of_another_length_is_refused()
    {
        using SerializerScene<Quote> scene = new(new BlittablePayload<Quote>());
        foreach (int bytes in new[] { 0, 1, 23, 25, 1000 })
        {
            scene.Refused(new byte[bytes], $"it has {bytes} bytes", "has 24");
        }

        Assert.Null(scene.Read(new byte[24], out Quote quote));
        Assert.Equal(default, quote);
    }

    [Fact]
    public void Of_all_patterns_of_a_bool_two_are_taken()
    {
        using SerializerScene<bool> scene = new(new BlittablePayload<bool>());
        for (int pattern = 0; pattern < 256; pattern++)
        {
            if (pattern <= 1)
            {
                Assert.Null(scene.Read([(byte)pattern], out bool value));
                Assert.Equal(pattern == 1, value);
            }
            else
            {
                scene.Refused([(byte)pattern], "byte 0 begins no Boolean");
            }
        }
    }

    [Fact]
    public void Every_bool_is_checked_wherever_it_lies()
    {
        Check<Quote>(16);
        Check<Pair<Quote>>(16, 40);
        Check<Book>(24, 48, 72, 96);
        Check<Buffers>(48, 49, 50);
        Check<(int, (bool, bool))>(Offsets<(int, (bool, bool))>());

        static void Check<T>(params int[] bools)
            where T : unmanaged
        {
            using SerializerScene<T> scene = new(new BlittablePayload<T>());
            byte[] payload = new byte[Unsafe.SizeOf<T>()];
            for (int i = 0; i < payload.Length; i++)
            {
                payload[i] = 2;
                if (bools.Contains(i))
                {
                    scene.Refused(payload, $"byte {i} begins no Boolean");
                }
                else
                {
                    Assert.Null(scene.Read(payload, out _));
                }

                payload[i] = 0;
            }
        }

        static int[] Offsets<T>()
            where T : unmanaged =>
            [.. new BlittablePayload<T>().Layout.Split(", ").Where(field => field.Contains(" bool ", StringComparison.Ordinal))
                .Select(field => int.Parse(field.Split(": ")[^1].Split(' ')[0]))];
    }

    [Fact]
    public void A_decimal_or_date_that_there_cannot_be_is_refused()
    {
        using SerializerScene<decimal> decimals = new(new BlittablePayload<decimal>());
        foreach (int flags in new[] { 29 << 16, 255 << 16, 1, 1 << 15, 1 << 24, 1 << 30, -1 })
        {
            decimals.Refused([.. BitConverter.GetBytes(flags), .. new byte[12]], "no Decimal");
        }

        foreach (int flags in new[] { 0, 28 << 16, int.MinValue, int.MinValue | (28 << 16) })
        {
            Assert.Null(decimals.Read([.. BitConverter.GetBytes(flags), .. Enumerable.Repeat((byte)0xFF, 12)], out decimal value));
            Assert.Equal(flags < 0, value < 0);
        }

        using SerializerScene<DateTime> dates = new(new BlittablePayload<DateTime>());
        for (ulong kind = 0; kind < 4; kind++)
        {
            ulong last = (ulong)DateTime.MaxValue.Ticks | (kind << 62);
            Assert.Null(dates.Read(BitConverter.GetBytes(last), out DateTime date));
            Assert.Equal(DateTime.MaxValue.Ticks, date.Ticks);
            dates.Refused(BitConverter.GetBytes(last + 1), "no DateTime");
            dates.Refused(BitConverter.GetBytes(0x3FFF_FFFF_FFFF_FFFF | (kind << 62)), "no DateTime");
        }
    }

    /// <summary>Whatever bytes come, what is read can be used: no value that its type does not have.</summary>
    [Fact]
    public void Random_bytes_are_refused_or_make_values_that_work()
    {
        using SerializerScene<Everything> scene = new(new BlittablePayload<Everything>());
        int size = Unsafe.SizeOf<Everything>();
        int taken = 0;
        Gen.Select(Gen.Byte.Array[size], Gen.Bool).Sample((payload, isTame) =>
        {
            if (isTame)
            {
                payload[16] &= 1; // Flag
                payload.AsSpan(24, 4).Clear(); // Amount's sign and scale
                payload[47] &= 0xC0; // Time's highest byte
            }

            if (scene.Read(payload, out Everything value) is null)
            {
                taken++;
                _ = value.ToString();
                Assert.True(value.Flag ? value.Amount == value.Amount : value.Time <= DateTime.MaxValue);
                _ = decimal.Round(value.Amount / 3, 2).ToString("N", null) + value.Time.ToString("O", null);
            }
        }, iter: 20_000, threads: 1);
        Assert.True(taken > 0);
    }

    private static byte[] Bytes<T>(T value)
        where T : unmanaged => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)).ToArray();

    private record struct Quote(long Id, double Price, bool IsBid);

    private struct QuoteOfOthers
    {
        public long Id;
        public double Price;
        public bool IsBid;
    }

    private record struct SwappedQuote(double Price, long Id, bool IsBid);

    private record struct RenamedQuote(long Id, double Bid, bool IsBid);

    private record struct WiderQuote(long Id, double Price, int IsBid);

    private record struct LongerQuote(long Id, double Price, bool IsBid, bool IsLast);

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private record struct PackedQuote(long Id, double Price, bool IsBid);

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private struct Packed
    {
        public byte A;
        public long B;
    }

    [StructLayout(LayoutKind.Explicit)]
    private struct Overlaid
    {
        [FieldOffset(0)]
        public long Whole;
        [FieldOffset(0)]
        public int Low;
        [FieldOffset(4)]
        public int High;
    }

    [StructLayout(LayoutKind.Auto)]
    private struct Auto
    {
        public byte A;
        public long B;
        public byte C;
    }

    private struct Pair<T>
    {
        public T First;
        public T Second;
    }

    private record struct Everything(
        long Id, double Price, bool Flag, decimal Amount, DateTime Time, char Letter, Guid Guid, Side Side);

    [InlineArray(4)]
    private struct FourQuotes
    {
        private Quote _first;
    }

    private struct Book
    {
        public int Id;
        public FourQuotes Levels;
    }

    private unsafe struct Buffers
    {
        public byte A;
        public fixed long B[5];
        public fixed bool C[3];
    }

    [InlineArray(70_000)]
    private struct Large
    {
        private byte _first;
    }

    private struct BehindLarge
    {
        public Large Head;
        public int Tail;
    }

    private unsafe struct WithPointer
    {
        public int* Next;
    }

    private unsafe struct WithCallback
    {
        public delegate*<void> Call;
    }

    private struct Handles
    {
        public nint Handle;
    }

    private struct WithHandle
    {
        public Handles Inner;
    }

    private struct WithNullable
    {
        public int? Maybe;
    }

    private struct Empty;
}
