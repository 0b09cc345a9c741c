using System.IO.Compression;
using CsCheck;
using MessagePack;
using ShmIpc.Channels;
using ShmIpc.Serialization;
using Xunit;

namespace ShmIpc.Tests.Serialization;

public sealed class BrotliPayloadTests
{
    private const int Limit = 100_000;

    [Fact]
    public void Any_bytes_cross_as_they_were()
    {
        using SerializerScene<byte[]> scene = new(Bytes(), 1 << 20);
        Gen.Select(Gen.Byte.Array[0, 2_000], Gen.Int[1, 50]).Sample((piece, times) =>
        {
            byte[] sent = [.. Enumerable.Repeat(piece, times).SelectMany(bytes => bytes)];
            Assert.Equal(sent, scene.Exchange(sent));
        }, iter: 500, threads: 1);
        Assert.Empty(scene.Exchange([]));
    }

    [Theory]
    [InlineData(0, 10)]
    [InlineData(1, 18)]
    [InlineData(5, 22)]
    [InlineData(11, 24)]
    public void Quality_and_window_are_each_sides_own_business(int quality, int windowBits)
    {
        using ScratchRoot root = new();
        ShmChannelOptions options = new() { Root = root.Path, LaneCapacityBytes = 65536 };
        using ShmChannel<string> writing = ShmChannel.Create(
            "texts", new BrotliPayload<string>(new StringPayload(), Limit, quality, windowBits), options);
        using ShmChannel<string> reading = ShmChannel.Open("texts", new BrotliPayload<string>(new StringPayload(), Limit), options);
        using Producer<string> producer = writing.CreateProducer();
        using Consumer<string> consumer = reading.CreateConsumer();
        string text = string.Concat(Enumerable.Range(0, 10_000).Select(i => $"line {i % 100}\n"));
        producer.Write(text);
        Assert.Equal(text, consumer.Read());
    }

    [Fact]
    public void A_message_many_times_larger_than_the_lane_crosses_when_it_is_small_compressed()
    {
        using SerializerScene<byte[]> scene = new(new BrotliPayload<byte[]>(new BytesPayload()), 65536);
        byte[] sent = new byte[BrotliPayload<byte[]>.DefaultMaxDecompressedBytes];
        sent.AsSpan(1_000_000).Fill(7);
        Assert.Equal(sent, scene.Exchange(sent));
    }

    [Fact]
    public void The_limit_is_exact_on_both_sides_and_named()
    {
        using SerializerScene<byte[]> scene = new(Bytes());
        foreach (int bytes in new[] { 0, 1, Limit - 1, Limit })
        {
            Assert.Equal(bytes, scene.Exchange(new byte[bytes]).Length);
            Assert.Null(scene.Read(Compressed(new byte[bytes]), out _));
        }

        ShmMessageTooLargeException refused = Assert.Throws<ShmMessageTooLargeException>(() => scene.Producer.TryWrite(new byte[Limit + 1]));
        Assert.Equal((Limit + 1, Limit), (refused.MessageBytes, refused.MaxMessageBytes));
        Assert.Contains("maxDecompressedBytes", refused.Message, StringComparison.Ordinal);
        Assert.Equal(0, scene.Consumer.Count);
        scene.Refused(Compressed(new byte[Limit + 1]), "maxDecompressedBytes (100000)");
        Assert.Equal([1], scene.Exchange([1]));
    }

    [Fact]
    public void A_bomb_is_refused_by_the_name_of_the_option_and_takes_little_memory()
    {
        using SerializerScene<byte[]> scene = new(new BrotliPayload<byte[]>(new BytesPayload(), 1_000_000), 1 << 20);
        byte[] bomb = Compressed(new byte[512 * 1024 * 1024]);
        Assert.True(bomb.Length < 200_000);
        scene.Refused(bomb, "maxDecompressedBytes (1000000)");
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 5; i++)
        {
            scene.Refused(bomb, "maxDecompressedBytes");
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 30_000_000);
    }

    [Fact]
    public void Whatever_is_cut_off_or_damaged_is_refused_or_some_message()
    {
        using SerializerScene<byte[]> scene = new(Bytes());
        byte[] good = Compressed([.. Enumerable.Range(0, 3_000).Select(i => (byte)(i * i >> 5))]);
        for (int length = 0; length < good.Length; length++)
        {
            scene.Refused(good.AsSpan(0, length), "cut off");
        }

        scene.Refused([.. good, 0], "1 bytes are left behind");
        scene.Refused([.. good, .. good], $"{good.Length} bytes are left behind");
        Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte).Sample((at, value) =>
        {
            byte[] damaged = [.. good];
            damaged[at] = value;
            scene.Read(damaged, out _);
        }, iter: 5_000, threads: 1);
        Gen.Byte.Array[0, 200].Sample(random => { scene.Read(random, out _); }, iter: 5_000, threads: 1);
        Assert.Equal([1], scene.Exchange([1]));
    }

    [Fact]
    public void Format_and_schema_are_those_of_the_inner_serializer()
    {
        BlittablePayload<int> inner = new();
        BrotliPayload<int> outer = new(inner);
        Assert.Equal("brotli/blittable/System.Int32", outer.Format);
        Assert.Equal(inner.Schema, outer.Schema);
        using ScratchRoot root = new();
        ShmChannelOptions options = new() { Root = root.Path, LaneCapacityBytes = 4096 };
        using ShmChannel<int> channel = ShmChannel.Create("x", outer, options);
        Assert.Throws<ShmRegionFormatException>(() => ShmChannel.Open("x", inner, options));
    }

    [Fact]
    public void What_the_inner_serializer_refuses_is_refused()
    {
        using SerializerScene<string> scene = new(new BrotliPayload<string>(new MessagePackPayload<string>(MessagePackSerializerOptions.Standard)));
        Assert.Equal("text", scene.Exchange("text"));
        scene.Refused(Compressed([0xC1]));
        scene.Refused(Compressed([0xA1, 0x41, 0]), "1 bytes are left behind the message");
        Assert.Equal("text", scene.Exchange("text"));
    }

    [Fact]
    public void Numbers_out_of_range_are_refused()
    {
        BytesPayload inner = new();
        Assert.Throws<ArgumentNullException>(() => new BrotliPayload<byte[]>(null!));
        foreach ((int max, int quality, int window, string name) in new[]
        {
            (0, 1, 18, "maxDecompressedBytes"), (-1, 1, 18, "maxDecompressedBytes"), (int.MaxValue, 1, 18, "maxDecompressedBytes"),
            (1, -1, 18, "quality"), (1, 12, 18, "quality"), (1, 1, 9, "windowBits"), (1, 1, 25, "windowBits"),
        })
        {
            ArgumentOutOfRangeException refused = Assert.Throws<ArgumentOutOfRangeException>(
                () => new BrotliPayload<byte[]>(inner, max, quality, window));
            Assert.Equal(name, refused.ParamName);
        }
    }

    private static BrotliPayload<byte[]> Bytes() => new(new BytesPayload(), Limit);

    private static byte[] Compressed(byte[] plain)
    {
        byte[] compressed = new byte[BrotliEncoder.GetMaxCompressedLength(plain.Length)];
        Assert.True(BrotliEncoder.TryCompress(plain, compressed, out int written, quality: 1, window: 22));
        return compressed[..written];
    }
}
