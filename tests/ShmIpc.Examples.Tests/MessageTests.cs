// The messages must survive MessagePack, with the security that the channels use.
using MessagePack;
using ShmIpc.Examples.Messages;
using ShmIpc.Examples.Producer.Proc;
using Xunit;

namespace ShmIpc.Examples.Tests;

public sealed class MessageTests
{
    private static readonly MessagePackSerializerOptions _options =
        MessagePackSerializerOptions.Standard.WithSecurity(MessagePackSecurity.UntrustedData);

    [Fact]
    public void A_sample_comes_back_as_it_was()
    {
        TelemetrySample sample = new MachineSampler(1000).Sample() with { SentTimestamp = 42 };
        TelemetrySample back = RoundTrip(sample);
        Assert.Equal((sample.Run, sample.Sequence, sample.SentTimestamp), (back.Run, back.Sequence, back.SentTimestamp));
        Assert.Equal(sample.Memory, back.Memory);
        Assert.Equal(sample.Cores, back.Cores);
        Assert.Equal(sample.Disks, back.Disks);
        Assert.Equal(sample.Networks, back.Networks);
        Assert.Equal(sample.Processes, back.Processes);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(70_000)]
    public void A_line_comes_back_as_it_was_and_needs_no_more_room_than_promised(int length)
    {
        byte[] text = new byte[length];
        Random.Shared.NextBytes(text);
        var end = new ReplayEnd(long.MaxValue, long.MaxValue, uint.MaxValue);
        var line = new ReplayLine(long.MaxValue, long.MaxValue, long.MaxValue, text, end);
        byte[] bytes = MessagePackSerializer.Serialize(line, _options, TestContext.Current.CancellationToken);
        Assert.InRange(bytes.Length, length, length + ReplayLine.OverheadBytes);

        ReplayLine back = RoundTrip(line);
        Assert.Equal(text, back.Text.ToArray());
        Assert.Equal(line with { Text = default }, back with { Text = default });
    }

    private static T RoundTrip<T>(T value)
    {
        CancellationToken stopping = TestContext.Current.CancellationToken;
        return MessagePackSerializer.Deserialize<T>(MessagePackSerializer.Serialize(value, _options, stopping), _options, stopping);
    }
}
