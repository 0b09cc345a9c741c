// Descriptors over a Unix domain socket: what is offered, and what is refused at once. How it is done is in
// DescriptorPassing.Transfers.cs.

using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;

namespace ShmIpc.Memory;

/// <summary>Passes open files to another process, of whatever user, over a Unix domain socket (<c>SCM_RIGHTS</c>). The receiver gets
/// descriptors of its own for the same open files, with what these may do: a file that was opened read-only arrives so.</summary>
/// <remarks>A peer may be silent for ever: without a timeout, a token or the socket's own time limit, so is the wait.</remarks>
public static partial class DescriptorPassing
{
    /// <summary>The most descriptors that one message carries.</summary>
    public const int MaxDescriptors = LinuxSocket.MostDescriptors;

    /// <summary>Sends a message with descriptors, and waits for room. The sender's handles stay open and its own.</summary>
    /// <remarks>On a stream, the descriptors arrive with the first byte, and the message has no end of its own: both sides have to know its
    /// length. The time is limited by <see cref="Socket.SendTimeout"/>.</remarks>
    /// <param name="socket">A connected Unix domain socket.</param>
    /// <param name="message">At least one byte: descriptors do not travel alone.</param>
    /// <param name="handles">1 to <see cref="MaxDescriptors"/> open files.</param>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64 with glibc.</exception>
    /// <exception cref="ArgumentException">An argument does not meet what is said above.</exception>
    /// <exception cref="ObjectDisposedException">The socket or a handle is closed.</exception>
    /// <exception cref="TimeoutException">There was no room within the socket's time limit.</exception>
    /// <exception cref="ShmException">The connection is broken, or the kernel refused.</exception>
    public static void Send(Socket socket, ReadOnlySpan<byte> message, params ReadOnlySpan<SafeFileHandle> handles)
    {
        CheckSending(socket, message.Length, handles);
        Send(socket, message, handles, new SocketWait(socket.SendTimeout), CancellationToken.None);
    }

    /// <summary>Sends a message with descriptors, and waits for room for so long at most.</summary>
    /// <remarks>After a timeout or a cancellation the receiver may have got the first part of a message, on a stream, and the descriptors
    /// with it: close the connection then.</remarks>
    /// <param name="socket">A connected Unix domain socket.</param>
    /// <param name="message">At least one byte.</param>
    /// <param name="handles">1 to <see cref="MaxDescriptors"/> open files.</param>
    /// <param name="timeout">How long to wait at most; <see cref="Timeout.InfiniteTimeSpan"/> for ever, whatever the socket's own
    /// limit.</param>
    /// <param name="cancellationToken">Ends the wait, within 50 ms.</param>
    /// <exception cref="ArgumentOutOfRangeException">The timeout is negative.</exception>
    /// <exception cref="TimeoutException">There was no room within that time.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <inheritdoc cref="Send(Socket, ReadOnlySpan{byte}, ReadOnlySpan{SafeFileHandle})"/>
    public static void Send(
        Socket socket,
        ReadOnlySpan<byte> message,
        ReadOnlySpan<SafeFileHandle> handles,
        TimeSpan timeout,
        CancellationToken cancellationToken = default)
    {
        CheckSending(socket, message.Length, handles);
        Send(socket, message, handles, new SocketWait(timeout), cancellationToken);
    }

    /// <summary>Sends a message with descriptors, and awaits room.</summary>
    /// <remarks>It tries again after 1 ms, and then after growing pauses of at most 16 ms. After a cancellation the receiver may have
    /// got the first part of a message, on a stream, and the descriptors with it: close the connection then.</remarks>
    /// <param name="socket">A connected Unix domain socket.</param>
    /// <param name="message">At least one byte.</param>
    /// <param name="handles">1 to <see cref="MaxDescriptors"/> open files, which stay open until it is sent.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <inheritdoc cref="Send(Socket, ReadOnlySpan{byte}, ReadOnlySpan{SafeFileHandle})"/>
    public static Task SendAsync(
        Socket socket,
        ReadOnlyMemory<byte> message,
        IReadOnlyList<SafeFileHandle> handles,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(handles);
        SafeFileHandle[] all = [.. handles];
        CheckSending(socket, message.Length, all);
        return SendAllAsync(socket, message, all, cancellationToken);
    }

    /// <summary>Waits for a message and receives it with its descriptors.</summary>
    /// <remarks>On a stream, one call returns what has come of a message, with the descriptors that came with it, never those of two
    /// messages. The time is limited by <see cref="Socket.ReceiveTimeout"/>. After any exception all descriptors that came are closed
    /// again.</remarks>
    /// <param name="socket">A connected Unix domain socket.</param>
    /// <param name="message">Where the message goes: at least one byte.</param>
    /// <param name="mostHandles">How many descriptors are expected at most: 1 to <see cref="MaxDescriptors"/>. Fewer may come, or
    /// none.</param>
    /// <exception cref="PlatformNotSupportedException">This is not Linux on x64 or arm64 with glibc.</exception>
    /// <exception cref="ArgumentException">An argument does not meet what is said above.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    /// <exception cref="TimeoutException">Nothing came within the socket's time limit.</exception>
    /// <exception cref="ShmException">More descriptors came than expected, or than this process may open; the message was longer than
    /// <paramref name="message"/>; or the connection is broken.</exception>
    public static ReceivedDescriptors Receive(Socket socket, Span<byte> message, int mostHandles = 1)
    {
        CheckReceiving(socket, message.Length, mostHandles);
        return Receive(socket, message, mostHandles, new SocketWait(socket.ReceiveTimeout), CancellationToken.None);
    }

    /// <summary>Waits for a message for so long at most, and receives it with its descriptors.</summary>
    /// <param name="socket">A connected Unix domain socket.</param>
    /// <param name="message">Where the message goes: at least one byte.</param>
    /// <param name="mostHandles">How many descriptors are expected at most: 1 to <see cref="MaxDescriptors"/>.</param>
    /// <param name="timeout">How long to wait at most: zero looks once, <see cref="Timeout.InfiniteTimeSpan"/> is for ever, whatever the
    /// socket's own limit.</param>
    /// <param name="cancellationToken">Ends the wait, within 50 ms.</param>
    /// <exception cref="ArgumentOutOfRangeException">The timeout is negative.</exception>
    /// <exception cref="TimeoutException">Nothing came within that time.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <inheritdoc cref="Receive(Socket, Span{byte}, int)"/>
    public static ReceivedDescriptors Receive(
        Socket socket, Span<byte> message, int mostHandles, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        CheckReceiving(socket, message.Length, mostHandles);
        return Receive(socket, message, mostHandles, new SocketWait(timeout), cancellationToken);
    }

    /// <summary>Awaits a message and receives it with its descriptors. No thread waits, and the socket's own time limit does not
    /// count: use the token.</summary>
    /// <param name="socket">A connected Unix domain socket.</param>
    /// <param name="message">Where the message goes: at least one byte.</param>
    /// <param name="mostHandles">How many descriptors are expected at most: 1 to <see cref="MaxDescriptors"/>.</param>
    /// <param name="cancellationToken">Ends the wait; nothing is lost of a message that comes later.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <inheritdoc cref="Receive(Socket, Span{byte}, int)"/>
    public static Task<ReceivedDescriptors> ReceiveAsync(
        Socket socket, Memory<byte> message, int mostHandles = 1, CancellationToken cancellationToken = default)
    {
        CheckReceiving(socket, message.Length, mostHandles);
        return ReceiveWhenItComesAsync(socket, message, mostHandles, cancellationToken);
    }

    private static void CheckSocket(Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        if (socket.AddressFamily != AddressFamily.Unix)
        {
            throw new ArgumentException(
                $"Descriptors are passed within one machine only, and this is a socket of family {socket.AddressFamily}: use " +
                "AddressFamily.Unix.",
                nameof(socket));
        }
    }

    private static void CheckMessage(int lengthBytes, string parameter)
    {
        if (lengthBytes == 0) throw new ArgumentException("Descriptors travel with a message of at least one byte.", parameter);
    }

    private static void CheckCount(int count, string parameter)
    {
        if (count is < 1 or > MaxDescriptors)
        {
            throw new ArgumentException($"One message carries 1 to {MaxDescriptors} descriptors, and {count} is neither.", parameter);
        }
    }
}
