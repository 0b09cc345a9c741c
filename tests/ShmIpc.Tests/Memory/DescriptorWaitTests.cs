// A silent peer: every wait for it ends with a timeout or a cancellation, and what comes afterwards is not lost.

using System.Net.Sockets;
using ShmIpc.Memory;
using Xunit;

namespace ShmIpc.Tests.Memory;

[Collection(nameof(MemoryMappingLeakTests))]
public sealed class DescriptorWaitTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(1);
    private static readonly int _page = Environment.SystemPageSize;

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(SocketType.Stream)]
    [InlineData(SocketType.Seqpacket)]
    [InlineData(SocketType.Dgram)]
    public async Task A_message_that_is_awaited_comes_with_its_descriptors(SocketType type)
    {
        var (near, far) = DescriptorPassingTests.Pair(type);
        using (near)
        using (far)
        using (var file = MemoryFile.Create("x", _page))
        {
            for (var round = 0; round < 3; round++)
            {
                var text = new byte[10];
                var receiving = DescriptorPassing.ReceiveAsync(far, text, cancellationToken: TestEnds);
                Assert.False(receiving.IsCompleted);
                await DescriptorPassing.SendAsync(near, "hello"u8.ToArray(), [file.Handle], TestEnds);
                var received = await receiving.WaitAsync(_patience, TestEnds);
                Assert.Equal("hello"u8, text.AsSpan(0, received.LengthBytes));
                using var same = MemoryFile.Open(Assert.Single(received.Handles));
                Assert.Equal("x", same.Name);
            }
        }
    }

    [Theory]
    [InlineData(SocketType.Stream)]
    [InlineData(SocketType.Seqpacket)]
    [InlineData(SocketType.Dgram)]
    public async Task A_cancelled_wait_loses_nothing_of_what_comes_later(SocketType type)
    {
        var (near, far) = DescriptorPassingTests.Pair(type);
        using (near)
        using (far)
        using (var file = MemoryFile.Create("x", _page))
        using (CancellationTokenSource first = new(), second = new())
        {
            var receiving = DescriptorPassing.ReceiveAsync(far, new byte[5], cancellationToken: first.Token);
            await first.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => receiving.WaitAsync(_patience, TestEnds));

            var waiting = Task.Run(() => DescriptorPassing.Receive(far, new byte[5], 1, Timeout.InfiniteTimeSpan, second.Token), TestEnds);
            second.CancelAfter(TimeSpan.FromMilliseconds(20));
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(_patience, TestEnds));

            DescriptorPassing.Send(near, "later"u8, [file.Handle], _patience, TestEnds);
            var received = DescriptorPassing.Receive(far, new byte[5], 1, _patience, TestEnds);
            Assert.Equal(5, received.LengthBytes);
            Assert.Single(received.Handles).Dispose();
        }
    }

    [Fact]
    public void A_timeout_counts_whatever_the_socket_says()
    {
        var (near, far) = DescriptorPassingTests.Pair(SocketType.Stream);
        using (near)
        using (far)
        using (var file = MemoryFile.Create("x", _page))
        {
            (far.ReceiveTimeout, near.SendTimeout) = (0, 0); // for ever
            var late = Assert.Throws<TimeoutException>(() => Receive(TimeSpan.FromMilliseconds(20)));
            Assert.Contains("sent nothing within 20 ms", late.Message, StringComparison.Ordinal);
            Assert.Throws<TimeoutException>(() => Receive(TimeSpan.Zero));
            Assert.Throws<TimeoutException>(() => Send(new byte[8 << 20], TimeSpan.FromMilliseconds(20)));
            Assert.Throws<ArgumentOutOfRangeException>(() => Receive(TimeSpan.FromSeconds(-1)));
            Assert.Throws<ArgumentOutOfRangeException>(() => Send(new byte[1], TimeSpan.FromSeconds(-1)));

            Assert.Single(Receive(TimeSpan.Zero).Handles).Dispose(); // what of the long message went off

            ReceivedDescriptors Receive(TimeSpan timeout) => DescriptorPassing.Receive(far, new byte[1], 1, timeout, TestEnds);
            void Send(byte[] message, TimeSpan timeout) => DescriptorPassing.Send(near, message, [file.Handle], timeout, TestEnds);
        }
    }

    [Fact]
    public async Task Sending_awaits_room()
    {
        var (near, far) = DescriptorPassingTests.Pair(SocketType.Stream);
        using (near)
        using (far)
        using (var file = MemoryFile.Create("x", _page))
        {
            var sent = new byte[4 << 20];
            new Random(2).NextBytes(sent);
            var sending = DescriptorPassing.SendAsync(near, sent, [file.Handle], TestEnds);
            Assert.False(sending.IsCompleted);
            var got = new byte[sent.Length];
            for (var at = 0; at < got.Length;)
            {
                var part = await DescriptorPassing.ReceiveAsync(far, got.AsMemory(at), 1, TestEnds).WaitAsync(_patience, TestEnds);
                at += part.LengthBytes;
                foreach (var handle in part.Handles) handle.Dispose();
            }

            await sending.WaitAsync(_patience, TestEnds);
            Assert.Equal(sent, got);

            using CancellationTokenSource source = new();
            var hopeless = DescriptorPassing.SendAsync(near, sent, [file.Handle], source.Token);
            await source.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => hopeless.WaitAsync(_patience, TestEnds));
        }
    }

    [Fact]
    public async Task An_await_ends_with_the_connection_and_with_the_socket()
    {
        var (near, far) = DescriptorPassingTests.Pair(SocketType.Stream);
        using (near)
        {
            var receiving = DescriptorPassing.ReceiveAsync(near, new byte[1], cancellationToken: TestEnds);
            far.Dispose();
            Assert.Equal(0, (await receiving.WaitAsync(_patience, TestEnds)).LengthBytes);
        }

        (near, far) = DescriptorPassingTests.Pair(SocketType.Stream);
        using (far)
        {
            var receiving = DescriptorPassing.ReceiveAsync(near, new byte[1], cancellationToken: TestEnds);
            near.Dispose();
            var error = await Record.ExceptionAsync(() => receiving.WaitAsync(_patience, TestEnds));
            Assert.True(error is ObjectDisposedException or ShmException, $"{error}");
        }
    }

    [Fact]
    public void What_is_wrong_is_said_before_anything_is_awaited()
    {
        var (near, far) = DescriptorPassingTests.Pair(SocketType.Stream);
        using (near)
        using (far)
        using (var file = MemoryFile.Create("x", _page))
        {
            Assert.Throws<ArgumentNullException>(() => { _ = DescriptorPassing.SendAsync(near, new byte[1], null!, TestEnds); });
            Assert.Throws<ArgumentException>(() => { _ = DescriptorPassing.SendAsync(near, new byte[1], [], TestEnds); });
            Assert.Throws<ArgumentException>(() => { _ = DescriptorPassing.SendAsync(near, ReadOnlyMemory<byte>.Empty, [file.Handle], TestEnds); });
            Assert.Throws<ArgumentException>(() => { _ = DescriptorPassing.ReceiveAsync(near, Memory<byte>.Empty, 1, TestEnds); });
            Assert.Throws<ArgumentException>(() => { _ = DescriptorPassing.ReceiveAsync(near, new byte[1], 0, TestEnds); });
            Assert.Throws<ArgumentException>(() => DescriptorPassing.Send(near, [], [file.Handle], _patience, TestEnds));
            Assert.Throws<ArgumentException>(() => DescriptorPassing.Receive(near, [], 1, _patience, TestEnds));
        }
    }
}
