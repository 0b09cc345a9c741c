using CsCheck;
using MessagePack;
using MessagePack.Resolvers;
using ShmIpc.Serialization;
using Xunit;

namespace ShmIpc.Tests.Serialization;

/// <summary>The default serializer against messages that nobody in his right mind would send.</summary>
public sealed class MessagePackPayloadTests
{
    private const byte Nil = 0xC0;
    private const byte ArrayOfOne = 0x91;

    [Fact]
    public void Compression_is_refused_with_the_way_out()
    {
        foreach (MessagePackCompression compression in new[] { MessagePackCompression.Lz4Block, MessagePackCompression.Lz4BlockArray })
        {
            NotSupportedException refused = Assert.Throws<NotSupportedException>(
                () => new MessagePackPayload<string>(MessagePackSerializerOptions.Standard.WithCompression(compression)));
            Assert.Contains("LZ4", refused.Message, StringComparison.Ordinal);
            Assert.Contains("BrotliPayload", refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Options_of_ones_own_are_used_but_never_weaken_the_security()
    {
        MessagePackSerializerOptions contractless = ContractlessStandardResolver.Options.WithSecurity(MessagePackSecurity.TrustedData);
        using SerializerScene<Unmarked> scene = new(new MessagePackPayload<Unmarked>(contractless));
        Assert.Equal(7, scene.Exchange(new Unmarked { Number = 7 }).Number);

        using SerializerScene<Node?> trusting = new(new MessagePackPayload<Node?>(
            MessagePackSerializerOptions.Standard.WithSecurity(MessagePackSecurity.TrustedData)));
        Assert.Null(trusting.Read(Nested(490), out _));
        trusting.Refused(Nested(600), "maximum depth");

        MessagePackSecurity shallow = MessagePackSecurity.UntrustedData.WithMaximumObjectGraphDepth(5);
        using SerializerScene<Node?> strict = new(new MessagePackPayload<Node?>(MessagePackSerializerOptions.Standard.WithSecurity(shallow)));
        Assert.Null(strict.Read(Nested(4), out _));
        strict.Refused(Nested(6), "maximum depth");
    }

    [Fact]
    public void Nesting_without_end_is_refused_or_stepped_over_and_never_overflows_the_stack()
    {
        const int deep = 500_000;
        IsRefused<Node?>(Nested(deep));
        IsRefused<object?>(Nested(deep));
        IsRefused<Dictionary<string, object>>([0x81, 0xA1, (byte)'x', .. Nested(deep)]);

        // A member that this side does not know is skipped, however deep it is.
        using SerializerScene<Node?> older = new(new MessagePackPayload<Node?>(), 1 << 20);
        Assert.Null(older.Read([0x92, Nil, .. Nested(deep)], out Node? node));
        Assert.Null(node!.Next);

        static void IsRefused<T>(byte[] payload)
        {
            using SerializerScene<T> scene = new(new MessagePackPayload<T>(), 1 << 20);
            scene.Refused(payload, "maximum depth");
        }
    }

    [Theory]
    [InlineData("DD7FFFFFFF01")] // an array of 2 G elements
    [InlineData("DDFFFFFFFF01")]
    [InlineData("DC FFFF 01")]
    [InlineData("DF7FFFFFFF01")] // a map
    [InlineData("C67FFFFFFF01")] // bytes
    [InlineData("C6FFFFFFFF01")]
    [InlineData("DB7FFFFFFF41")] // a text
    [InlineData("C97FFFFFFF0141")] // an extension
    [InlineData("C1")]
    [InlineData("")]
    public void Headers_that_promise_what_is_not_there_are_refused_and_take_no_memory(string hex)
    {
        byte[] payload = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        Check<int[]>();
        Check<List<string>>();
        Check<Dictionary<int, int>>();
        Check<byte[]>();
        Check<string>();
        Check<int[,]>();
        Check<Node>();
        Check<object>();

        void Check<T>()
        {
            using SerializerScene<T> scene = new(new MessagePackPayload<T>(), 4096);
            scene.Refused(payload);
            long before = GC.GetAllocatedBytesForCurrentThread();
            scene.Refused(payload);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
        }
    }

    [Fact]
    public void A_grid_whose_size_overflows_to_that_of_its_elements_is_refused()
    {
        using SerializerScene<int[,]> scene = new(new MessagePackPayload<int[,]>(), 4096);
        scene.Refused(Convert.FromHexString("93CE00010000CE0001000090")); // 65536 x 65536, and no elements
        scene.Refused(Convert.FromHexString("93CE7FFFFFFFCE7FFFFFFF9101"));
    }

    [Fact]
    public void Cut_off_or_longer_than_it_should_be_is_refused()
    {
        using SerializerScene<Everything> scene = new(new MessagePackPayload<Everything>());
        byte[] good = MessagePackSerializer.Serialize(Sample());
        Assert.Null(scene.Read(good, out _));
        for (int length = 0; length < good.Length; length++)
        {
            scene.Refused(good.AsSpan(0, length));
        }

        scene.Refused([.. good, 0], "1 bytes are left behind the message", "another type");
        scene.Refused([.. good, .. good], $"{good.Length} bytes are left behind");
    }

    [Fact]
    public void Random_and_damaged_bytes_are_refused_or_some_message()
    {
        using SerializerScene<Everything> scene = new(new MessagePackPayload<Everything>());
        using SerializerScene<object?> objects = new(new MessagePackPayload<object?>());
        byte[] good = MessagePackSerializer.Serialize(Sample());
        int refused = 0;
        Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte, Gen.Int[0, good.Length - 1], Gen.Byte).Sample((at, value, at2, value2) =>
        {
            byte[] damaged = [.. good];
            (damaged[at], damaged[at2]) = (value, value2);
            refused += scene.Read(damaged, out _) is null ? 0 : 1;
            objects.Read(damaged, out _);
        }, iter: 20_000, threads: 1);
        Gen.Byte.Array[0, 100].Sample(random =>
        {
            refused += scene.Read(random, out _) is null ? 0 : 1;
            objects.Read(random, out _);
        }, iter: 20_000, threads: 1);
        Assert.True(refused > 10_000);
        Assert.Equal(Sample().Name, scene.Exchange(Sample()).Name);
    }

    private static byte[] Nested(int depth)
    {
        byte[] payload = new byte[depth + 1];
        payload.AsSpan(0, depth).Fill(ArrayOfOne);
        payload[depth] = Nil;
        return payload;
    }

    private static Everything Sample() => new()
    {
        Name = "grüße",
        Numbers = [1, -2, int.MaxValue],
        Map = new() { ["a"] = 1.5m, ["b"] = -2 },
        When = new DateTime(2026, 11, 23, 0, 0, 0, DateTimeKind.Utc),
        Next = new Node { Next = new Node() },
        Grid = new[,] { { 1, 2 }, { 3, 4 } },
        Maybe = 3,
    };

    [MessagePackObject]
    public sealed class Node
    {
        [Key(0)]
        public Node? Next { get; set; }
    }

    [MessagePackObject]
    public sealed class Everything
    {
        [Key(0)]
        public string Name { get; set; } = "";

        [Key(1)]
        public IReadOnlyList<int> Numbers { get; set; } = [];

        [Key(2)]
        public Dictionary<string, decimal> Map { get; set; } = [];

        [Key(3)]
        public DateTime When { get; set; }

        [Key(4)]
        public Node? Next { get; set; }

        [Key(5)]
#pragma warning disable CA1814 // a rectangular array is what is tested
        public int[,]? Grid { get; set; }
#pragma warning restore CA1814

        [Key(6)]
        public int? Maybe { get; set; }
    }

    public sealed class Unmarked
    {
        public int Number { get; set; }
    }
}
