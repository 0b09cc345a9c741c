using System.Buffers;
using ShmIpc.Channels;
using ShmIpc.Serialization;
using ShmIpc.Values;
using Xunit;

namespace ShmIpc.Tests.Values;

public sealed class SharedValueTests : IDisposable
{
    private static readonly TimeSpan _soon = TimeSpan.FromSeconds(60);
    private readonly ScratchRoot _root = new();

    [Fact]
    public void What_one_writes_the_other_reads()
    {
        using SharedValue<string?> here = SharedValue.CreateOrOpen<string?>("text", Options());
        using SharedValue<string?> there = SharedValue.CreateOrOpen<string?>("text", Options());
        Assert.Equal(("text", 4096), (there.Name, there.MaxValueBytes));
        Assert.False(there.TryRead(out _, out long version));
        Assert.Equal((0L, 0L), (version, there.Version));
        Assert.False(there.HasWriter);

        using (SharedValueWriter<string?> writer = here.CreateWriter())
        {
            Assert.True(there.HasWriter);
            foreach ((string? text, int number) in new[] { "one", "", null, "vier", new string('5', 4000) }.Select((text, i) => (text, i + 1)))
            {
                Assert.Equal(number, writer.Write(text));
                Assert.True(there.TryRead(out string? read, out version));
                Assert.Equal((text, (long)number), (read, version));
                Assert.Equal(text, there.Read());
                Assert.Equal((number, number), (there.Version, writer.Version));
            }
        }

        Assert.False(there.HasWriter);
        using SharedValueWriter<string?> next = there.CreateWriter();
        Assert.Equal(5, next.Version);
        Assert.Equal(6, next.Write("six"));
        Assert.True(here.TryRead(out string? six));
        Assert.Equal("six", six);
    }

    [Fact]
    public void A_second_living_writer_is_refused_with_the_process_of_the_first()
    {
        using SharedValue<int> here = SharedValue.Create<int>("x", Options());
        using SharedValue<int> there = SharedValue.Open<int>("x", Options());
        SharedValueWriter<int> first = here.CreateWriter();
        for (int i = 0; i < 100; i++)
        {
            // More often than there are slots: a refused writer keeps none.
            Assert.Contains(
                $"process {Environment.ProcessId}",
                Assert.Throws<ShmLimitException>(there.CreateWriter).Message,
                StringComparison.Ordinal);
        }

        first.Write(7);
        first.Dispose();
        first.Dispose();
        Assert.Throws<ObjectDisposedException>(() => first.Write(8));
        using SharedValueWriter<int> second = there.CreateWriter();
        Assert.Equal(7, there.Read());
        Assert.Equal(2, second.Write(9));
    }

    [Fact]
    public void A_value_that_is_too_large_is_refused_and_the_one_before_stays()
    {
        using SharedValue<byte[]> value = SharedValue.Create("x", new Bytes(), Options(maxValueBytes: 100));
        using SharedValueWriter<byte[]> writer = value.CreateWriter();
        writer.Write(new byte[100]);
        foreach (int bytes in new[] { 101, 5_000, 1_000_000 })
        {
            ShmMessageTooLargeException refused = Assert.Throws<ShmMessageTooLargeException>(() => writer.Write(new byte[bytes]));
            Assert.Contains("MaxValueBytes", refused.Message, StringComparison.Ordinal);
            Assert.Contains(" at most 100 ", refused.Message, StringComparison.Ordinal);
            Assert.Equal(100, refused.MaxMessageBytes);
            Assert.True(refused.MessageBytes > 100);
        }

        Assert.Equal((1, 100), (value.Version, value.Read().Length));
        Assert.Equal(2, writer.Write([]));
        Assert.Empty(value.Read());
    }

    [Fact]
    public void A_serializer_that_fails_changes_nothing_and_one_that_cannot_read_says_so()
    {
        using SharedValue<int> value = SharedValue.Create("x", new Moody(), Options());
        using SharedValueWriter<int> writer = value.CreateWriter();
        writer.Write(1);
        Assert.Throws<NotSupportedException>(() => writer.Write(-1));
        Assert.Equal((1, 1), (value.Read(), value.Version));
        writer.Write(13);
        ShmPayloadException undecodable = Assert.Throws<ShmPayloadException>(() => value.TryRead(out _));
        Assert.IsType<FormatException>(undecodable.InnerException);
        Assert.Contains("Value 2 of x (4 bytes)", undecodable.Message, StringComparison.Ordinal);
        Assert.Equal((-1, -1L), (undecodable.Lane, undecodable.Position));
        writer.Write(14);
        Assert.Equal(14, value.Read());
    }

    [Fact]
    public void A_serializer_that_uses_its_own_writer_harms_nothing()
    {
        Moody moody = new();
        using SharedValue<int> value = SharedValue.Create("x", moody, Options());
        using SharedValueWriter<int> writer = value.CreateWriter();
        moody.OnSerialize = () => writer.Write(2);
        Assert.Throws<InvalidOperationException>(() => writer.Write(1));
        moody.OnSerialize = writer.Dispose;
        Assert.Throws<ObjectDisposedException>(() => writer.Write(1));
        Assert.Equal(0, value.Version);
        moody.OnSerialize = null;
        using SharedValueWriter<int> next = value.CreateWriter();
        Assert.Equal(1, next.Write(3));
    }

    [Fact]
    public void Opening_refuses_what_is_another_kind_or_geometry_or_format()
    {
        SharedValue.Create("x", new Bytes(), Options(maxValueBytes: 100)).Dispose();
        Refused<ShmRegionExistsException>(() => SharedValue.Create("x", new Bytes(), Options()), "exists");
        Refused<ShmRegionNotFoundException>(() => SharedValue.Open("y", new Bytes(), Options()), "no region");
        Refused<ShmRegionFormatException>(() => SharedValue.Open<int>("x", Options()), "\"test/bytes\"", "\"messagepack/System.Int32\"");
        Refused<ShmRegionFormatException>(
            () => SharedValue.CreateOrOpen("x", new Bytes(), Options(maxValueBytes: 200)), "MaxValueBytes is 100", "200 was asked for");
        SharedValueOptions others = Options();
        others.MaxParticipants = 9;
        Refused<ShmRegionFormatException>(() => SharedValue.Open("x", new Bytes(), others), "MaxParticipants is 64", "9 was asked for");
        Refused<ShmRegionFormatException>(
            () => ShmByteChannel.Open("x", new ShmChannelOptions { Root = _root.Path }), "kind Value", "Channel was asked for");
        ShmByteChannel.Create("c", new ShmChannelOptions { Root = _root.Path, LaneCapacityBytes = 4096 }).Dispose();
        Refused<ShmRegionFormatException>(() => SharedValue.CreateOrOpen("c", new Bytes(), Options()), "kind Channel", "Value was asked for");
        using SharedValue<byte[]> asItIs = SharedValue.Open("x", new Bytes(), Options());
        Assert.Equal(100, asItIs.MaxValueBytes);

        static void Refused<TException>(Func<IDisposable> attempt, params string[] parts)
            where TException : ShmException
        {
            TException refused = Assert.Throws<TException>(() => attempt().Dispose());
            Assert.All(parts, part => Assert.Contains(part, refused.Message, StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData(0, 64, "MaxValueBytes must be from 1 to 67108864")]
    [InlineData(-1, 64, "MaxValueBytes must be from 1 to 67108864")]
    [InlineData(67_108_865, 64, "MaxValueBytes must be from 1 to 67108864")]
    [InlineData(1, 1, "MaxParticipants must be from 2 to 256")]
    [InlineData(1, 257, "MaxParticipants must be from 2 to 256")]
    public void An_option_out_of_range_is_refused(int maxValueBytes, int maxParticipants, string message)
    {
        SharedValueOptions options = new() { Root = _root.Path, MaxValueBytes = maxValueBytes, MaxParticipants = maxParticipants };
        Assert.Contains(message, Assert.Throws<ArgumentOutOfRangeException>(() => SharedValue.Create<int>("x", options)).Message,
            StringComparison.Ordinal);
        Assert.False(SharedValue.Exists("x", _root.Path));
    }

    [Fact]
    public void A_deleted_value_is_noticed_by_the_next_read_and_the_next_write()
    {
        using SharedValue<int> value = SharedValue.Create<int>("x", Options());
        using SharedValueWriter<int> writer = value.CreateWriter();
        writer.Write(1);
        Assert.True(SharedValue.Exists("x", _root.Path));
        Assert.True(SharedValue.Delete("x", _root.Path));
        Assert.False(SharedValue.Delete("x", _root.Path));
        Assert.False(SharedValue.Exists("x", _root.Path));
        Assert.Throws<ShmRegionDeletedException>(() => value.TryRead(out _));
        Assert.Throws<ShmRegionDeletedException>(() => writer.Write(2));
        Assert.Throws<ShmRegionDeletedException>(() => value.Version);
        Assert.Throws<ShmRegionDeletedException>(() => value.HasWriter);
        Assert.Throws<ShmRegionDeletedException>(value.CreateWriter);
        Assert.Throws<ShmRegionDeletedException>(() => value.WaitForChange(1, _soon));
        using SharedValue<int> anew = SharedValue.Create<int>("x", Options());
        Assert.Equal(0, anew.Version);
    }

    [Fact]
    public void A_disposed_value_refuses_and_its_writer_goes_on()
    {
        using SharedValue<int> other = SharedValue.Create<int>("x", Options());
        SharedValue<int> value = SharedValue.Open<int>("x", Options());
        using SharedValueWriter<int> writer = value.CreateWriter();
        value.Dispose();
        value.Dispose();
        Assert.Throws<ObjectDisposedException>(() => value.TryRead(out _));
        Assert.Throws<ObjectDisposedException>(() => value.Version);
        Assert.Throws<ObjectDisposedException>(value.CreateWriter);
        Assert.Throws<ObjectDisposedException>(() => value.WaitForChange(0, _soon));
        writer.Write(4);
        Assert.Equal(4, other.Read());
    }

    [Fact]
    public async Task Disposing_under_readers_is_an_exception_of_theirs_and_no_crash()
    {
        for (int round = 0; round < 50; round++)
        {
            using SharedValue<Pattern> other = SharedValue.CreateOrOpen("x", new PatternSerializer(), Options());
            SharedValue<Pattern> value = SharedValue.Open("x", new PatternSerializer(), Options());
            SharedValueWriter<Pattern> writer = value.CreateWriter();
            Task[] users =
            [
                Use(() => value.TryRead(out _)),
                Use(() => value.TryRead(out _)),
                Use(() => writer.Write(new Pattern(round, 500))),
            ];
            await Task.Delay(round % 5);
            value.Dispose();
            writer.Dispose();
            await Task.WhenAll(users).WaitAsync(_soon);
        }

        static Task Use(Action use) => OwnThread.Run(() =>
        {
            try
            {
                while (true)
                {
                    use();
                }
            }
            catch (ObjectDisposedException)
            {
            }
        });
    }

    [Fact]
    public void Writing_and_reading_allocate_nothing()
    {
        using SharedValue<Pattern> value = SharedValue.Create("x", new PatternSerializer(), Options(maxValueBytes: 5_000));
        using SharedValueWriter<Pattern> writer = value.CreateWriter();
        Exchange(1_000);
        Assert.Equal(0, AllocatedBytes.Of(() => Exchange(20_000)));

        void Exchange(int rounds)
        {
            for (int i = 1; i <= rounds; i++)
            {
                long version = writer.Write(new Pattern(i, i % 2 == 0 ? 5_000 : 12));
                if (!value.TryRead(out Pattern read, out long found) || found != version || read.Number != i)
                {
                    throw new InvalidOperationException("another value came");
                }
            }
        }
    }

    [Fact]
    public void Readers_need_no_place_among_the_participants()
    {
        SharedValueOptions options = Options();
        options.MaxParticipants = 2;
        using SharedValue<int> value = SharedValue.Create<int>("x", options);
        using SharedValueWriter<int> writer = value.CreateWriter();
        writer.Write(5);
        SharedValue<int>[] readers = [.. Enumerable.Range(0, 300).Select(_ => SharedValue.Open<int>("x", options))];
        Assert.All(readers, reader => Assert.Equal(5, reader.Read()));
        Assert.False(readers[0].WaitForChange(1, TimeSpan.FromMilliseconds(200)));
        Assert.True(readers[1].WaitForChange(0, _soon));
        Assert.Throws<ShmLimitException>(() => readers[2].WaitForChange(1, TimeSpan.FromSeconds(5)));
        readers[0].Dispose();
        Assert.False(readers[2].WaitForChange(1, TimeSpan.FromMilliseconds(200)));
        Array.ForEach(readers, reader => reader.Dispose());
    }

    [Fact]
    public void Writers_and_waiters_give_their_places_back()
    {
        SharedValueOptions options = Options();
        options.MaxParticipants = 2;
        using SharedValue<int> value = SharedValue.Create<int>("x", options);
        for (int i = 0; i < 5; i++)
        {
            using SharedValue<int> waiter = SharedValue.Open<int>("x", options);
            using SharedValueWriter<int> writer = waiter.CreateWriter(); // keeps the attachment when its value is disposed
            Assert.False(waiter.WaitForChange(0, TimeSpan.FromMilliseconds(200)));
            waiter.Dispose();
            using SharedValue<int> next = SharedValue.Open<int>("x", options);
            Assert.False(next.WaitForChange(0, TimeSpan.FromMilliseconds(200)));
        }

        for (int i = 0; i < 5; i++)
        {
            value.CreateWriter().Dispose();
        }
    }

    public void Dispose() => _root.Dispose();

    private SharedValueOptions Options(int? maxValueBytes = null) => new() { Root = _root.Path, MaxValueBytes = maxValueBytes };

    private sealed class Bytes : IPayloadSerializer<byte[]>
    {
        public string Format => "test/bytes";

        public void Serialize(IBufferWriter<byte> destination, byte[] value) => destination.Write(value);

        public byte[] Deserialize(ReadOnlyMemory<byte> payload) => payload.ToArray();
    }

    private sealed class Moody : IPayloadSerializer<int>
    {
        public Action? OnSerialize { get; set; }

        public string Format => "test/moody";

        public void Serialize(IBufferWriter<byte> destination, int value)
        {
            destination.Write(BitConverter.GetBytes(value));
            OnSerialize?.Invoke();
            if (value < 0)
            {
                throw new NotSupportedException();
            }
        }

        public int Deserialize(ReadOnlyMemory<byte> payload) =>
            BitConverter.ToInt32(payload.Span) is var value && value != 13 ? value : throw new FormatException("unlucky");
    }
}
