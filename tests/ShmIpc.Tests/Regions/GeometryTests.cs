using System.Buffers;
using ShmIpc.Channels;
using ShmIpc.Serialization;
using Xunit;

namespace ShmIpc.Tests.Regions;

/// <summary>What the options ask for: out of range, or other than what is there.</summary>
public sealed class GeometryTests : IDisposable
{
    private readonly RegionScene _scene = new();

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(-4096)]
    [InlineData(long.MinValue)]
    [InlineData(1)]
    [InlineData(2048)]
    [InlineData(4097)]
    [InlineData(12288)]
    [InlineData(1024 * 1024 * 1024)]
    [InlineData(1L << 40)]
    [InlineData(long.MaxValue)]
    public void A_bad_lane_capacity_is_refused(long capacityBytes)
    {
        ShmChannelOptions options = new() { Root = _scene.Root, LaneCapacityBytes = capacityBytes };
        string[] parts = ["LaneCapacityBytes", "power of two from 4096 to 536870912", capacityBytes.ToString()];
        _scene.Refused<ArgumentOutOfRangeException>(() => ShmByteChannel.Create("x", options), parts);
        _scene.Refused<ArgumentOutOfRangeException>(() => ShmByteChannel.CreateOrOpen("x", options), parts);
        _scene.Refused<ArgumentOutOfRangeException>(() => ShmByteChannel.Open("x", options), parts);
    }

    [Theory]
    [InlineData(0, 1, 2, "MaxProducers must be from 1 to 32")]
    [InlineData(33, 1, 2, "MaxProducers must be from 1 to 32")]
    [InlineData(-1, 1, 2, "MaxProducers must be from 1 to 32")]
    [InlineData(1, 0, 2, "MaxGroups must be from 1 to 64")]
    [InlineData(1, 65, 2, "MaxGroups must be from 1 to 64")]
    [InlineData(1, 1, 1, "MaxParticipants must be from 2 to 256")]
    [InlineData(1, 1, 257, "MaxParticipants must be from 2 to 256")]
    [InlineData(1, 1, int.MaxValue, "MaxParticipants must be from 2 to 256")]
    public void A_bad_limit_is_refused(int producers, int groups, int participants, string what) =>
        _scene.Refused<ArgumentOutOfRangeException>(
        () => ShmByteChannel.Create("x", RegionScene.Options(_scene.Root, producers, groups, participants)), what);

    [Fact]
    public void A_channel_of_another_geometry_is_refused_with_both_values()
    {
        _scene.CreateAbandoned();
        Differs(new ShmChannelOptions { Root = _scene.Root, LaneCapacityBytes = 65536 }, "LaneCapacityBytes",
            $"{Environment.SystemPageSize}", "65536");
        Differs(new ShmChannelOptions { Root = _scene.Root, MaxProducers = 3 }, "MaxProducers", "is 1", "3 was asked");
        Differs(new ShmChannelOptions { Root = _scene.Root, MaxGroups = 7 }, "MaxGroups", "is 1", "7 was asked");
        Differs(new ShmChannelOptions { Root = _scene.Root, MaxParticipants = 9 }, "MaxParticipants", "is 2", "9 was asked");
        ShmByteChannel.Open(RegionScene.Name, RegionScene.Options(_scene.Root)).Dispose();

        void Differs(ShmChannelOptions options, params string[] parts)
        {
            string[] all = [_scene.File, "Leave the option out", .. parts];
            _scene.Refused<ShmRegionFormatException>(() => ShmByteChannel.Open(RegionScene.Name, options), all);
            _scene.Refused<ShmRegionFormatException>(() => ShmByteChannel.CreateOrOpen(RegionScene.Name, options), all);
        }
    }

    [Fact]
    public void A_channel_of_another_payload_format_is_refused_with_both_names()
    {
        ShmChannelOptions options = RegionScene.Options(_scene.Root);
        ShmChannel.Create("typed", new Named<int>("one/Format"), options).Dispose();
        _scene.Refused<ShmRegionFormatException>(
            () => ShmByteChannel.Open("typed", options), "\"one/Format\"", "\"bytes\" was asked for", "same message type and serializer");
        _scene.Refused<ShmRegionFormatException>(
            () => ShmChannel.CreateOrOpen("typed", new Named<int>("other/Format"), options),
                "\"one/Format\"", "\"other/Format\" was asked for");
        _scene.Refused<ShmRegionFormatException>(() => ShmChannel.Open<int>("typed", options),
            "\"one/Format\"", "\"messagepack/System.Int32\"");
        ShmChannel.Create<long>("packed", options).Dispose();
        _scene.Refused<ShmRegionFormatException>(
            () => ShmChannel.Open<int>("packed", options), "\"messagepack/System.Int64\"", "\"messagepack/System.Int32\" was asked for");
        ShmByteChannel.Create("raw", options).Dispose();
        _scene.Refused<ShmRegionFormatException>(() => ShmChannel.Open<int>("raw", options), "\"bytes\"", "\"messagepack/System.Int32\"");
    }

    [Fact]
    public void A_channel_of_another_schema_is_refused_with_both_values()
    {
        ShmChannelOptions options = RegionScene.Options(_scene.Root);
        Named<int> first = new("same", 0x0123456789ABCDEF);
        ShmChannel.Create("schema", first, options).Dispose();
        foreach (ulong other in new ulong[] { 0, 1, 0x0123456789ABCDEE, ulong.MaxValue })
        {
            string[] parts = ["payload schema is 0x0123456789ABCDEF", $"0x{other:X16} was asked for", "same definition of the message type"];
            _scene.Refused<ShmRegionFormatException>(() => ShmChannel.Open("schema", new Named<int>("same", other), options), parts);
            _scene.Refused<ShmRegionFormatException>(() => ShmChannel.CreateOrOpen("schema", new Named<int>("same", other), options), parts);
        }

        ShmChannel.Open("schema", first, options).Dispose();
        ShmChannel.CreateOrOpen("schema", first, options).Dispose();
    }

    [Fact]
    public void A_format_that_the_header_has_no_room_for_is_refused()
    {
        ShmChannelOptions options = RegionScene.Options(_scene.Root);
        string[] room = ["room for 1 to 159", "another Format"];
        _scene.Refused<ArgumentException>(() => ShmChannel.Create("x", new Named<int>(new string('f', 160)), options),
            ["160 bytes", .. room]);
        _scene.Refused<ArgumentException>(() => ShmChannel.Create("x", new Named<int>(new string('é', 80)), options),
            ["160 bytes", .. room]);
        _scene.Refused<ArgumentException>(() => ShmChannel.Create("x", new Named<int>(""), options), room);
        _scene.Refused<ArgumentException>(() => ShmChannel.Create("x", new Named<int>(null!), options), room);
        Named<int> longest = new(new string('é', 79) + "f");
        ShmChannel.Create("x", longest, options).Dispose();
        ShmChannel.Open("x", longest, options).Dispose();
    }

    public void Dispose() => _scene.Dispose();

    private sealed class Named<T>(string format, ulong schema = 0) : IPayloadSerializer<T>
    {
        public string Format { get; } = format;

        public ulong Schema => schema;

        public void Serialize(IBufferWriter<byte> destination, T value) => throw new NotSupportedException();

        public T Deserialize(ReadOnlyMemory<byte> payload) => throw new NotSupportedException();
    }
}
