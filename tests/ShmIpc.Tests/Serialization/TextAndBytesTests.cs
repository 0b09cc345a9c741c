using System.Text;
using CsCheck;
using ShmIpc.Channels;
using ShmIpc.Serialization;
using Xunit;

namespace ShmIpc.Tests.Serialization;

public sealed class TextAndBytesTests
{
    [Fact]
    public void Any_text_crosses_as_it_was()
    {
        using SerializerScene<string> scene = new(new StringPayload());
        Gen.String.Where(IsWhole).Sample(text => Assert.Equal(text, scene.Exchange(text)), iter: 3_000, threads: 1);
        foreach (string text in new[] { "", "\0", "\uFEFFmark", "grüße", "\U0001F600", new('x', 5_000) })
        {
            Assert.Equal(text, scene.Exchange(text));
        }

        // Without a length or a mark: exactly its UTF-8.
        scene.Producer.Write("é");
        Assert.Equal(1, scene.Consumer.Count);
        Assert.Equal("é", scene.Consumer.Read());
        Assert.Null(scene.Read("plain"u8, out string? plain));
        Assert.Equal("plain", plain);

        static bool IsWhole(string text)
        {
            for (int i = 0; i < text.Length; i++)
            {
                if (char.IsSurrogatePair(text, Math.Min(i, text.Length - 2 < 0 ? 0 : text.Length - 2)) && char.IsHighSurrogate(text[i]))
                {
                    i++;
                }
                else if (char.IsSurrogate(text[i]))
                {
                    return false;
                }
            }

            return true;
        }
    }

    [Theory]
    [InlineData("41FF", 1)]
    [InlineData("C080", 0)]
    [InlineData("4142C3", 2)]
    [InlineData("414243EDA080", 3)]
    [InlineData("F8808080", 0)]
    [InlineData("4141414141414141414141414141414141414141F4908080", 20)]
    public void What_is_no_utf8_is_refused_with_its_offset(string bytes, int offset)
    {
        using SerializerScene<string> scene = new(new StringPayload());
        ShmPayloadException refused = scene.Refused(Convert.FromHexString(bytes), $"at index {offset} ");
        Assert.Equal(offset, Assert.IsType<DecoderFallbackException>(refused.InnerException).Index);
        Assert.Equal("next", scene.Exchange("next"));
    }

    [Fact]
    public void Random_bytes_are_a_text_or_refused()
    {
        using SerializerScene<string> scene = new(new StringPayload());
        Gen.Byte.Array[0, 40].Sample(payload =>
        {
            if (scene.Read(payload, out string? text) is null)
            {
                Assert.Equal(payload, Encoding.UTF8.GetBytes(text!));
            }
        }, iter: 10_000, threads: 1);
    }

    [Fact]
    public void Half_a_surrogate_pair_and_null_are_refused_and_publish_nothing()
    {
        using SerializerScene<string> scene = new(new StringPayload());
        EncoderFallbackException half = Assert.Throws<EncoderFallbackException>(() => scene.Producer.TryWrite("ab\uD800c"));
        Assert.Equal(2, half.Index);
        Assert.Throws<EncoderFallbackException>(() => scene.Producer.TryWrite("\uDC00"));
        Assert.Equal("value", Assert.Throws<ArgumentNullException>(() => scene.Producer.TryWrite(null!)).ParamName);
        Assert.Equal(0, scene.Consumer.Count);
        Assert.Equal("next", scene.Exchange("next"));
    }

    [Fact]
    public void Any_bytes_cross_as_they_were_and_are_the_readers_own()
    {
        using SerializerScene<byte[]> scene = new(new BytesPayload(), 4096);
        Gen.Byte.Array[0, 300].Sample(bytes => Assert.Equal(bytes, scene.Exchange(bytes)), iter: 3_000, threads: 1);
        byte[] kept = scene.Exchange([1, 2, 3]);
        for (int i = 0; i < 1_000; i++)
        {
            scene.Exchange([9, 9, 9]); // the lane is overwritten many times
        }

        Assert.Equal([1, 2, 3], kept);
        Assert.Empty(scene.Exchange([]));
        Assert.Equal("value", Assert.Throws<ArgumentNullException>(() => scene.Producer.TryWrite(null!)).ParamName);
        Assert.Equal(0, scene.Consumer.Count);
    }

    [Fact]
    public void Bytes_and_the_byte_level_are_one_format()
    {
        using ScratchRoot root = new();
        ShmChannelOptions options = new() { Root = root.Path, LaneCapacityBytes = 4096 };
        using ShmChannel<byte[]> typed = ShmChannel.Create("bytes", new BytesPayload(), options);
        using ShmByteChannel raw = ShmByteChannel.Open("bytes", options);
        using Producer<byte[]> producer = typed.CreateProducer();
        using ByteConsumer consumer = raw.CreateConsumer();
        producer.Write([1, 2, 3]);
        Assert.Equal([1, 2, 3], consumer.Read(TimeSpan.FromSeconds(60)).Payload.ToArray());
    }
}
