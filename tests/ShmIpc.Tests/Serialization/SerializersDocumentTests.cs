using ShmIpc.Channels;
using ShmIpc.Serialization;
using Xunit;

namespace ShmIpc.Tests.Serialization;

/// <summary>What docs/serializers.md shows, run. That all of it stands here, word for word, is checked by DocumentedCodeTests.</summary>
public sealed class SerializersDocumentTests
{
    private static readonly TimeSpan _soon = TimeSpan.FromSeconds(60);

    [Fact]
    public void A_serializer_is_chosen_where_the_channel_is_opened()
    {
        using ScratchRoot root = new();
        ShmChannelOptions options = new() { Root = root.Path, LaneCapacityBytes = 4096 };
        using var quotes = ShmChannel.CreateOrOpen("quotes", new BlittablePayload<Quote>(), options);
        using var lines = ShmChannel.CreateOrOpen("lines", new StringPayload(), options);
        using var frames = ShmChannel.CreateOrOpen("frames", new BytesPayload(), options);
        using var reports = ShmChannel.CreateOrOpen("reports", new BrotliPayload<string>(new StringPayload()), options);

        Crosses(quotes, new Quote(1, 2.5, true));
        Crosses(lines, "line");
        Crosses(frames, [1, 2, 3]);
        Crosses(reports, "report");
    }

    [Fact]
    public void A_serializer_of_ones_own_takes_ten_lines()
    {
        using ScratchRoot root = new();
        using var channel = ShmChannel.Create(
            "temperatures", new TemperaturePayload(), new ShmChannelOptions { Root = root.Path, LaneCapacityBytes = 4096 });
        Crosses(channel, -40.25);
        using SerializerScene<double> scene = new(new TemperaturePayload());
        scene.Refused([1], "a temperature has 2 bytes, and this has 1");
        Assert.Throws<OverflowException>(() => scene.Producer.TryWrite(1e6));
        Assert.Equal(36.6, scene.Exchange(36.6));
    }

    private static void Crosses<T>(ShmChannel<T> channel, T message)
    {
        using Producer<T> producer = channel.CreateProducer();
        using Consumer<T> consumer = channel.CreateConsumer();
        producer.Write(message);
        Assert.Equal(message, consumer.Read(_soon));
    }

    public readonly record struct Quote(long Id, double Price, bool IsBid);
}
