// Descriptors over sockets within one process: what arrives, what is refused, and that nothing is left open. It counts the descriptors
// of the process, so nothing else may run meanwhile.

using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using ShmIpc.Memory;
using Tmds.Linux;
using Xunit;

namespace ShmIpc.Tests.Memory;

[Collection(nameof(MemoryMappingLeakTests))]
public sealed class DescriptorPassingTests
{
    private const int Rounds = 1_000;
    private static readonly int _page = Environment.SystemPageSize;

    [Theory]
    [InlineData(SocketType.Stream)]
    [InlineData(SocketType.Seqpacket)]
    [InlineData(SocketType.Dgram)]
    public void Handles_arrive_in_order_with_the_message(SocketType type)
    {
        var (near, far) = Pair(type);
        using (near)
        using (far)
        using (var first = MemoryFile.Create("first", _page))
        using (var second = MemoryFile.Create("second", _page))
        {
            DescriptorPassing.Send(near, "hello"u8, first.Handle, second.Handle);
            DescriptorPassing.Send(near, "again"u8, second.OpenReadOnly().Handle);
            Span<byte> text = stackalloc byte[100];
            var received = DescriptorPassing.Receive(far, text, mostHandles: 2);
            Assert.Equal(5, received.LengthBytes);
            Assert.Equal("hello"u8, text[..5]);
            Assert.Equal(2, received.Handles.Count);
            using var one = MemoryFile.Open(received.Handles[0]);
            using var two = MemoryFile.Open(received.Handles[1]);
            Assert.Equal(("first", "second"), (one.Name, two.Name));
            Assert.Equal(LibC.FD_CLOEXEC, LibC.fcntl(one.Descriptor, LibC.F_GETFD));
            Assert.NotEqual(first.Descriptor, one.Descriptor);
            Assert.Equal(LinuxFile.Status(first.Handle).Inode, LinuxFile.Status(one.Handle).Inode);

            received = DescriptorPassing.Receive(far, text);
            using var readOnly = MemoryFile.Open(Assert.Single(received.Handles));
            Assert.False(readOnly.CanWrite);
        }
    }

    [Fact]
    public async Task A_message_that_is_longer_than_the_socket_takes_at_once_arrives_whole()
    {
        var (near, far) = Pair(SocketType.Stream);
        using (near)
        using (far)
        using (var file = MemoryFile.Create("x", _page))
        {
            var sent = new byte[4 << 20];
            new Random(1).NextBytes(sent);
            var sending = Task.Run(() => DescriptorPassing.Send(near, sent, file.Handle), TestContext.Current.CancellationToken);
            var got = new byte[sent.Length];
            var handles = new List<SafeFileHandle>();
            far.ReceiveTimeout = 60_000;
            for (var at = 0; at < got.Length;)
            {
                var part = DescriptorPassing.Receive(far, got.AsSpan(at));
                at += part.LengthBytes;
                handles.AddRange(part.Handles);
            }

            await sending.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
            Assert.Equal(sent, got);
            Assert.Single(handles).Dispose();
        }
    }

    [Fact]
    public void More_than_was_asked_for_is_refused_and_closed()
    {
        var (near, far) = Pair(SocketType.Stream);
        using (near)
        using (far)
        using (var file = MemoryFile.Create("x", _page))
        {
            var before = OpenFiles();
            DescriptorPassing.Send(near, [1], [.. Enumerable.Repeat(file.Handle, DescriptorPassing.MaxDescriptors)]);
            const int TooFew = DescriptorPassing.MaxDescriptors - 1;
            var error = Assert.Throws<ShmException>(() => DescriptorPassing.Receive(far, new byte[1], TooFew));
            Assert.Contains("253 descriptors came and at most 252", error.Message, StringComparison.Ordinal);
            Assert.Equal(before, OpenFiles());
        }
    }

    [Fact]
    public unsafe void The_most_descriptors_arrive_beside_the_credentials_of_their_sender()
    {
        var (near, far) = Pair(SocketType.Stream);
        using (near)
        using (far)
        using (var file = MemoryFile.Create("x", _page))
        {
            int on = 1;
            Assert.Equal(0, LibC.setsockopt((int)far.Handle, LibC.SOL_SOCKET, LibC.SO_PASSCRED, &on, sizeof(int)));
            var before = OpenFiles();
            DescriptorPassing.Send(near, [1], [.. Enumerable.Repeat(file.Handle, DescriptorPassing.MaxDescriptors)]);
            var received = DescriptorPassing.Receive(far, new byte[1], DescriptorPassing.MaxDescriptors);
            Assert.Equal(DescriptorPassing.MaxDescriptors, received.Handles.Count);
            Assert.Equal(before + DescriptorPassing.MaxDescriptors, OpenFiles());
            foreach (var handle in received.Handles) handle.Dispose();
            Assert.Equal(before, OpenFiles());
        }
    }

    [Fact]
    public void A_message_cut_short_is_refused_and_its_descriptors_closed()
    {
        var (near, far) = Pair(SocketType.Seqpacket);
        using (near)
        using (far)
        using (var file = MemoryFile.Create("x", _page))
        {
            var before = OpenFiles();
            DescriptorPassing.Send(near, "too long"u8, file.Handle);
            var error = Assert.Throws<ShmException>(() => DescriptorPassing.Receive(far, new byte[3]));
            Assert.Contains("longer than the 3 bytes", error.Message, StringComparison.Ordinal);
            Assert.Equal(before, OpenFiles());
        }
    }

    [Fact]
    public void Nothing_leaks()
    {
        var (near, far) = Pair(SocketType.Stream);
        using (near)
        using (far)
        {
            Round();
            var before = OpenFiles();
            for (var i = 0; i < Rounds; i++) Round();
            Assert.Equal(before, OpenFiles());
        }

        void Round()
        {
            using var file = MemoryFile.Create("x", _page);
            using var readOnly = file.OpenReadOnly();
            using var inheritable = readOnly.MakeInheritable();
            file.Seal(MemorySeals.FutureWrite);
            file.Map(new MemoryMappingOptions { Access = MemoryAccess.ReadOnly }).Dispose();
            Assert.Throws<UnauthorizedAccessException>(() => file.Map());
            DescriptorPassing.Send(near, [1, 2], file.Handle, readOnly.Handle);
            Assert.Throws<ShmException>(() => DescriptorPassing.Receive(far, new byte[2]));
            DescriptorPassing.Send(near, [1], file.Handle);
            MemoryFile.Open(DescriptorPassing.Receive(far, new byte[1]).Handles[0]).Dispose();
            MemoryFile.OpenFrom(Environment.ProcessId, file.Descriptor).Dispose();
            Assert.Throws<ArgumentException>(() => MemoryFile.OpenInherited(1 << 20));
            Assert.Throws<ShmNoSpaceException>(() => MemoryFile.Create("x", 1L << 46));
        }
    }

    [Fact]
    public void The_end_of_the_stream_and_a_closed_other_end()
    {
        var (near, far) = Pair(SocketType.Stream);
        using (near)
        using (var file = MemoryFile.Create("x", _page))
        {
            far.Send([1]);
            Assert.Empty(DescriptorPassing.Receive(near, new byte[10]).Handles); // a message without
            far.Dispose();
            Assert.Equal(0, DescriptorPassing.Receive(near, new byte[10]).LengthBytes);
            var error = Assert.Throws<ShmException>(() => DescriptorPassing.Send(near, [1], file.Handle));
            Assert.Contains("EPIPE", error.Message, StringComparison.Ordinal);
            Assert.Contains("other end is closed", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Waiting_ends_with_the_time_limit_of_the_socket_and_with_its_disposal()
    {
        var (near, far) = Pair(SocketType.Stream);
        using (near)
        using (far)
        using (var file = MemoryFile.Create("x", _page))
        {
            far.ReceiveTimeout = 20;
            var late = Assert.Throws<TimeoutException>(() => DescriptorPassing.Receive(far, new byte[1]));
            Assert.Contains("20 ms", late.Message, StringComparison.Ordinal);
            near.SendTimeout = 20;
            Assert.Throws<TimeoutException>(() => DescriptorPassing.Send(near, new byte[8 << 20], file.Handle));

            near.ReceiveTimeout = 0;
            var waiting = Task.Run(() => DescriptorPassing.Receive(near, new byte[1]), TestContext.Current.CancellationToken);
            await Task.Delay(50, TestContext.Current.CancellationToken); // most likely it waits by now, or it finds the socket disposed
            near.Dispose();
            var error = await Record.ExceptionAsync(() => waiting.WaitAsync(TimeSpan.FromSeconds(60)));
            Assert.True(error is ObjectDisposedException or SocketException or ShmException, $"{error}");
        }
    }

    [Fact]
    public void What_cannot_be_sent_or_received()
    {
        var (near, far) = Pair(SocketType.Stream);
        using (near)
        using (far)
        using (var network = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        using (var lonely = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        using (var file = MemoryFile.Create("x", _page))
        using (var invalid = new SafeFileHandle(-1, ownsHandle: false))
        {
            var tooMany = Enumerable.Repeat(file.Handle, DescriptorPassing.MaxDescriptors + 1).ToArray();
            var closed = file.OpenReadOnly();
            closed.Dispose();
            Assert.Throws<ArgumentNullException>(() => DescriptorPassing.Send(null!, [1], file.Handle));
            Assert.Throws<ArgumentException>(() => DescriptorPassing.Send(network, [1], file.Handle));
            Assert.Throws<ArgumentException>(() => DescriptorPassing.Send(near, [], file.Handle));
            Assert.Throws<ArgumentException>(() => DescriptorPassing.Send(near, [1]));
            Assert.Throws<ArgumentException>(() => DescriptorPassing.Send(near, [1], tooMany));
            Assert.Throws<ArgumentException>(() => DescriptorPassing.Send(near, [1], invalid));
            Assert.Throws<ArgumentNullException>(() => DescriptorPassing.Send(near, [1], file.Handle, null!));
            Assert.Throws<ObjectDisposedException>(() => DescriptorPassing.Send(near, [1], file.Handle, closed.Handle));
            var error = Assert.Throws<ShmException>(() => DescriptorPassing.Send(lonely, [1], file.Handle));
            Assert.Contains("not connected", error.Message, StringComparison.Ordinal);
            Assert.Throws<ArgumentNullException>(() => DescriptorPassing.Receive(null!, new byte[1]));
            Assert.Throws<ArgumentException>(() => DescriptorPassing.Receive(network, new byte[1]));
            Assert.Throws<ArgumentException>(() => DescriptorPassing.Receive(far, []));
            Assert.Throws<ArgumentException>(() => DescriptorPassing.Receive(far, new byte[1], 0));
            Assert.Throws<ArgumentException>(() => DescriptorPassing.Receive(far, new byte[1], DescriptorPassing.MaxDescriptors + 1));
            far.Blocking = false;
            Assert.Throws<SocketException>(() => far.Receive(new byte[1])); // nothing of all that was sent
            near.Dispose();
            Assert.Throws<ObjectDisposedException>(() => DescriptorPassing.Send(near, [1], file.Handle));
        }
    }

    /// <summary>Descriptors of the files that these tests pass; others come and go with the runtime and its finalizers.</summary>
    private static int OpenFiles() => Directory.GetFileSystemEntries("/proc/self/fd")
        .Count(entry => new FileInfo(entry).LinkTarget == "/memfd:x (deleted)");

    internal static unsafe (Socket Near, Socket Far) Pair(SocketType type)
    {
        var ends = stackalloc int[2];
        var number = type switch { SocketType.Stream => LibC.SOCK_STREAM, SocketType.Dgram => LibC.SOCK_DGRAM, _ => LibC.SOCK_SEQPACKET };
        Assert.Equal(0, LibC.socketpair(LibC.AF_UNIX, number | LibC.SOCK_CLOEXEC, 0, ends));
        return (new Socket(new SafeSocketHandle(ends[0], ownsHandle: true)), new Socket(new SafeSocketHandle(ends[1], ownsHandle: true)));
    }
}
