// Descriptors over a Unix domain socket. The calls themselves do not wait (Interop/LinuxSocket.cs); waiting is left to the Socket, so that
// disposing it ends the wait.

using System.Diagnostics;
using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using static Tmds.Linux.LibC;

namespace ShmIpc.Memory;

/// <summary>Passes open files to another process, of whatever user, over a Unix domain socket (<c>SCM_RIGHTS</c>). The receiver gets
/// descriptors of its own for the same open files, with what these may do: a file that was opened read-only arrives so.</summary>
public static class DescriptorPassing
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
        LinuxPlatform.Require();
        CheckSocket(socket);
        CheckMessage(message.Length, nameof(message));
        CheckCount(handles.Length, nameof(handles));
        foreach (var handle in handles)
        {
            ArgumentNullException.ThrowIfNull(handle, nameof(handles));
            using var check = new BorrowedDescriptor(handle);
        }

        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            var sent = LinuxSocket.TrySend(socket.SafeHandle, message, handles, out var failure);
            if (sent == message.Length) return;
            if (sent > 0)
            {
                message = message[sent..]; // only a stream takes part of a message
                handles = default;
            }
            else if (failure == EAGAIN)
            {
                Wait(socket, SelectMode.SelectWrite, socket.SendTimeout, start);
            }
            else if (failure != EINTR)
            {
                throw LinuxError.ToException(
                    failure, "sendmsg", $"length {message.Length}, {handles.Length} descriptors", CureOfSending(failure));
            }
        }
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
        LinuxPlatform.Require();
        CheckSocket(socket);
        CheckMessage(message.Length, nameof(message));
        CheckCount(mostHandles, nameof(mostHandles));
        var start = Stopwatch.GetTimestamp();
        List<SafeFileHandle> handles = [];
        while (true)
        {
            var count = LinuxSocket.TryReceive(socket.SafeHandle, message, handles, out var lost, out var cut, out var failure);
            if (count >= 0)
            {
                if (Refusal(handles.Count, mostHandles, lost, cut ? message.Length : null) is not { } refusal)
                {
                    return new ReceivedDescriptors(count, handles);
                }

                handles.ForEach(handle => handle.Dispose());
                throw refusal;
            }

            if (failure == EAGAIN) Wait(socket, SelectMode.SelectRead, socket.ReceiveTimeout, start);
            else if (failure != EINTR) throw LinuxError.ToException(failure, "recvmsg", $"length {message.Length}");
        }
    }

    private static ShmException? Refusal(int count, int mostHandles, bool lost, int? cutBytes)
    {
        if (lost)
        {
            return new ShmException(
                $"Descriptors came that this process could not be given, and those that it was given are closed again: it may have " +
                $"{LinuxLimits.Text(LibCExtras.RLIMIT_NOFILE, "")} files open (RLIMIT_NOFILE, `ulimit -n`). Raise that or close some.");
        }

        if (count > mostHandles)
        {
            return new ShmException(
                $"{count} descriptors came and at most {mostHandles} were expected; all of them are closed again. Either the sender is " +
                "not whom it seems to be, or ask for more.");
        }

        return cutBytes is null
            ? null
            : new ShmException(
                $"The message is longer than the {cutBytes} bytes that there was room for, and its end is lost: use a larger buffer.");
    }

    private static void Wait(Socket socket, SelectMode mode, int timeoutMilliseconds, long start)
    {
        var rest = timeoutMilliseconds <= 0
            ? Timeout.InfiniteTimeSpan
            : TimeSpan.FromMilliseconds(timeoutMilliseconds) - Stopwatch.GetElapsedTime(start);
        if (timeoutMilliseconds > 0 && rest < TimeSpan.Zero) rest = TimeSpan.Zero;
        if (socket.Poll(rest, mode) || rest != TimeSpan.Zero) return;
        throw new TimeoutException(
            $"The other end {(mode == SelectMode.SelectRead ? "sent nothing" : "took nothing")} within {timeoutMilliseconds} ms.");
    }

    private static string? CureOfSending(int failure)
    {
        if (failure == EPIPE || failure == ECONNRESET) return "The other end is closed.";
        if (failure == ENOTCONN || failure == EDESTADDRREQ) return "The socket is not connected.";
        if (failure == EMSGSIZE) return "The message is too long for this kind of socket: use a stream, or a shorter message.";
        return failure == ETOOMANYREFS
            ? $"As many descriptors are under way already as this user may have files open (RLIMIT_NOFILE, `ulimit -n`, is " +
              $"{LinuxLimits.Text(LibCExtras.RLIMIT_NOFILE, "")}): have the receivers take theirs first."
            : null;
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
