using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ShmIpc.Channels;
using ShmIpc.Rings;
using ShmIpc.Serialization;
using Xunit;

namespace ShmIpc.Tests.Serialization;

/// <summary>From nothing to the largest message of the channel, one less and one more, with every serializer.</summary>
public sealed class MessageSizeTests
{
    private const int Capacity = 4096;
    private const int Largest = (Capacity / 2) - 16;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData(Largest - 1)]
    [InlineData(Largest)]
    [InlineData(Largest + 1)]
    [InlineData(Capacity)]
    [InlineData(1_000_000)]
    public void Bytes_text_and_any_serializer_of_ones_own(int bytes)
    {
        byte[] payload = new byte[bytes];
        new Random(bytes).NextBytes(payload);
        Check(new BytesPayload(), payload, bytes);
        Check(new StringPayload(), new string('x', bytes), bytes);
        if (bytes % 2 == 0)
        {
            Check(new StringPayload(), new string('é', bytes / 2), bytes);
        }
    }

    [Theory]
    [InlineData(Largest - 1)]
    [InlineData(Largest)]
    [InlineData(Largest + 1)]
    public void MessagePack(int bytes)
    {
        Check(new MessagePackPayload<byte[]>(), new byte[bytes - 3], bytes); // its header has 3 bytes at this size
        Check(new MessagePackPayload<string>(), new string('x', bytes - 3), bytes);
        Check(new MessagePackPayload<IReadOnlyList<bool>>(), (bool[])[.. Enumerable.Repeat(true, bytes - 3)], bytes);
    }

    [Fact]
    public void A_serializer_that_wraps_what_it_gets()
    {
        using ScratchRoot root = new();
        ShmChannelOptions options = new() { Root = root.Path, LaneCapacityBytes = Capacity };
        using ShmChannel<byte[]> channel = ShmChannel.Create("wrapped", new WrappingPayload(), options);
        using Producer<byte[]> producer = channel.CreateProducer();
        Assert.Throws<ShmMessageTooLargeException>(() => producer.TryWrite(new byte[1_000_000]));
        Assert.Throws<ShmMessageTooLargeException>(() => producer.TryWriteBatch([new byte[1], new byte[1_000_000]]));
        Assert.True(producer.TryWrite(new byte[Largest]));
    }

    [Fact]
    public void Blittable_structs()
    {
        CheckStruct<byte>(1);
        CheckStruct<LargestLess1>(Largest - 1);
        CheckStruct<LargestStruct>(Largest);
        CheckStruct<LargestMore1>(Largest + 1);

        static void CheckStruct<T>(int bytes)
            where T : unmanaged
        {
            T message = default;
            MemoryMarshal.AsBytes(new Span<T>(ref message)).Fill(7);
            Check(new BlittablePayload<T>(), message, bytes, got =>
                Assert.Equal(bytes, MemoryMarshal.AsBytes(new Span<T>(ref got)).Count((byte)7)));
        }
    }

    [Fact]
    public void Compressed_messages()
    {
        // Random bytes do not shrink; how many of them fill the lane exactly, Brotli decides.
        byte[] random = new byte[Largest + 100];
        new Random(5).NextBytes(random);
        BrotliPayload<byte[]> serializer = new(new BytesPayload());
        HashSet<int> sizes = [];
        for (int bytes = Largest - 20; bytes <= Largest + 5; bytes++)
        {
            System.Buffers.ArrayBufferWriter<byte> compressed = new();
            serializer.Serialize(compressed, random[..bytes]);
            sizes.Add(compressed.WrittenCount);
            Check(serializer, random[..bytes], compressed.WrittenCount);
        }

        Assert.Subset(sizes, new HashSet<int> { Largest - 1, Largest, Largest + 1 });
    }

    private static void Check<T>(IPayloadSerializer<T> serializer, T message, int bytes, Action<T>? expect = null)
    {
        expect ??= got => Assert.Equal(message, got);
        using SerializerScene<T> scene = new(serializer, Capacity);
        Assert.Equal(LaneLayout.MaxPayloadBytes(Capacity), scene.MaxMessageBytes);
        if (bytes <= Largest)
        {
            expect(scene.Exchange(message));
            scene.Producer.Write(message, TimeSpan.FromSeconds(60));
            expect(scene.Consumer.Read(TimeSpan.FromSeconds(60)));
        }
        else
        {
            ShmMessageTooLargeException refused = Assert.Throws<ShmMessageTooLargeException>(() => scene.Producer.TryWrite(message));
            Assert.Contains(nameof(ShmChannelOptions.LaneCapacityBytes), refused.Message, StringComparison.Ordinal);
            Assert.Equal(Largest, refused.MaxMessageBytes);
            Assert.Throws<ShmMessageTooLargeException>(() => scene.Producer.Write(message));
            Assert.Equal(0, scene.Consumer.Count);
        }
    }

    private sealed class WrappingPayload : IPayloadSerializer<byte[]>
    {
        public string Format => "wrapping";

        public void Serialize(IBufferWriter<byte> destination, byte[] value)
        {
            try
            {
                destination.Write(value);
            }
            catch (Exception error)
            {
                throw new NotSupportedException("It could not be written.", error);
            }
        }

        public byte[] Deserialize(ReadOnlyMemory<byte> payload) => payload.ToArray();
    }

    [InlineArray(Largest - 1)]
    private struct LargestLess1
    {
        private byte _first;
    }

    [InlineArray(Largest)]
    private struct LargestStruct
    {
        private byte _first;
    }

    [InlineArray(Largest + 1)]
    private struct LargestMore1
    {
        private byte _first;
    }
}
