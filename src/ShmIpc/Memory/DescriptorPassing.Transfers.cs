// Messages with descriptors on their way. The calls themselves do not wait (Interop/LinuxSocket.cs); waiting is left to the Socket, so
// that disposing it ends the wait.

using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using static Tmds.Linux.LibC;

namespace ShmIpc.Memory;

public static partial class DescriptorPassing
{
    private static void Send(
        Socket socket,
        ReadOnlySpan<byte> message,
        ReadOnlySpan<SafeFileHandle> handles,
        SocketWait wait,
        CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var sent = TrySend(socket, message, handles);
            if (sent == message.Length) return;
            if (sent == 0)
            {
                wait.For(socket, SelectMode.SelectWrite, cancellationToken);
                continue;
            }

            message = message[sent..];
            handles = default;
        }
    }

    // There is no way to await room: a message of no bytes is sent at once.
    private static async Task SendAllAsync(
        Socket socket, ReadOnlyMemory<byte> message, SafeFileHandle[] handles, CancellationToken cancellationToken)
    {
        RetryPauses pauses = new(Timeout.InfiniteTimeSpan);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var sent = TrySend(socket, message.Span, handles);
            if (sent == message.Length) return;
            if (sent == 0)
            {
                _ = pauses.TryNext(out var pause);
                await Task.Delay(pause, cancellationToken).ConfigureAwait(false);
                continue;
            }

            message = message[sent..];
            handles = [];
        }
    }

    /// <summary>How much was sent: the descriptors with the first byte, and only a stream takes part of a message. 0 where there is no
    /// room.</summary>
    private static int TrySend(Socket socket, ReadOnlySpan<byte> message, ReadOnlySpan<SafeFileHandle> handles)
    {
        while (true)
        {
            var sent = LinuxSocket.TrySend(socket.SafeHandle, message, handles, out var failure);
            if (sent > 0) return sent;
            if (failure == EAGAIN) return 0;
            if (failure != EINTR)
            {
                throw LinuxError.ToException(
                    failure, "sendmsg", $"length {message.Length}, {handles.Length} descriptors", CureOfSending(failure));
            }
        }
    }

    private static ReceivedDescriptors Receive(
        Socket socket, Span<byte> message, int mostHandles, SocketWait wait, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryReceive(socket, message, mostHandles) is { } received) return received;
            wait.For(socket, SelectMode.SelectRead, cancellationToken);
        }
    }

    // A receive of no bytes ends when there is something, and takes nothing of it.
    private static async Task<ReceivedDescriptors> ReceiveWhenItComesAsync(
        Socket socket, Memory<byte> message, int mostHandles, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryReceive(socket, message.Span, mostHandles) is { } received) return received;
            try
            {
                _ = await socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None, cancellationToken).ConfigureAwait(false);
            }
            catch (SocketException)
            {
                // the next attempt says what is wrong, also where the socket was disposed
            }
        }
    }

    /// <summary>Null where nothing has come.</summary>
    private static ReceivedDescriptors? TryReceive(Socket socket, Span<byte> message, int mostHandles)
    {
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

            if (failure == EAGAIN) return null;
            if (failure != EINTR) throw LinuxError.ToException(failure, "recvmsg", $"length {message.Length}", CureOfReceiving(failure));
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

    private static string? CureOfReceiving(int failure)
    {
        if (failure == ECONNRESET) return "The other end is closed, and had not taken all that was sent to it.";
        return failure == ENOTCONN || failure == EINVAL ? "The socket is not connected." : null;
    }

    private static void CheckSending(Socket socket, int messageBytes, ReadOnlySpan<SafeFileHandle> handles)
    {
        LinuxPlatform.Require();
        CheckSocket(socket);
        CheckMessage(messageBytes, "message");
        CheckCount(handles.Length, nameof(handles));
        foreach (var handle in handles)
        {
            ArgumentNullException.ThrowIfNull(handle, nameof(handles));
            using var check = new BorrowedDescriptor(handle);
        }
    }

    private static void CheckReceiving(Socket socket, int messageBytes, int mostHandles)
    {
        LinuxPlatform.Require();
        CheckSocket(socket);
        CheckMessage(messageBytes, "message");
        CheckCount(mostHandles, nameof(mostHandles));
    }
}
