// Whole messages with descriptors, over a socket from LinuxPipe.CreateSockets. A fork server waits in here, and so it does without
// System.Net.Sockets, which has threads of its own; LinuxSocket.cs is for those who have such a socket.

using Microsoft.Win32.SafeHandles;
using static ShmIpc.Interop.LibCExtras;
using static Tmds.Linux.LibC;

namespace ShmIpc.Interop;

internal static unsafe class LinuxMessage
{
    /// <summary>Most descriptors in one message: the kernel takes no more (SCM_MAX_FD).</summary>
    public const int MaxFiles = 253;

    private const int ControlBytes = 1040; // a header and MaxFiles numbers, and what is left of eight bytes
    private const int HeaderBytes = 16;   // struct cmsghdr, which is aligned as the numbers behind it are

    /// <summary>Sends a message; the receiver gets descriptors of its own.</summary>
    /// <returns>False when nobody can receive it any more.</returns>
    public static bool TrySend(SafeFileHandle socket, ReadOnlySpan<byte> message, params ReadOnlySpan<SafeFileHandle> files)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(files.Length, MaxFiles);
        using var descriptor = new BorrowedDescriptor(socket);
        var control = stackalloc ulong[ControlBytes / sizeof(ulong)];
        var borrowed = 0;
        try
        {
            for (; borrowed < files.Length; borrowed++)
            {
                var added = false;
                files[borrowed].DangerousAddRef(ref added);
                ((int*)((byte*)control + HeaderBytes))[borrowed] = (int)files[borrowed].DangerousGetHandle();
            }

            fixed (byte* bytes = message)
            {
                var part = new iovec { iov_base = bytes, iov_len = (nuint)message.Length };
                var header = new msghdr { msg_iov = &part, msg_iovlen = 1 };
                if (files.Length > 0)
                {
                    var first = (cmsghdr*)control;
                    var lengthBytes = (nuint)(HeaderBytes + (files.Length * sizeof(int)));
                    first->cmsg_len = lengthBytes;
                    first->cmsg_level = SOL_SOCKET;
                    first->cmsg_type = SCM_RIGHTS;
                    header.msg_control = control;
                    header.msg_controllen = (lengthBytes + 7) / 8 * 8;
                }

                while (sendmsg(descriptor.Number, &header, MSG_NOSIGNAL) < 0)
                {
                    var failure = errno;
                    if (failure == EPIPE || failure == ECONNRESET) return false;
                    if (failure != EINTR)
                    {
                        throw LinuxError.ToException(failure, "sendmsg", $"{message.Length} bytes, {files.Length} descriptors");
                    }
                }
            }

            return true;
        }
        finally
        {
            while (borrowed > 0) files[--borrowed].DangerousRelease();
        }
    }

    /// <summary>Receives a message, and waits for one.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="buffer">Where the message goes; a longer one is an error.</param>
    /// <param name="files">The descriptors that came with it, close-on-exec; none when this process may not have so many.</param>
    /// <returns>The length of the message; 0 when nobody can send any more.</returns>
    public static int Receive(SafeFileHandle socket, Span<byte> buffer, out SafeFileHandle[] files)
    {
        using var descriptor = new BorrowedDescriptor(socket);
        var control = stackalloc ulong[ControlBytes / sizeof(ulong)];
        msghdr header;
        long count;
        fixed (byte* bytes = buffer)
        {
            var part = new iovec { iov_base = bytes, iov_len = (nuint)buffer.Length };
            int failure;
            do
            {
                header = new msghdr { msg_iov = &part, msg_iovlen = 1, msg_control = control, msg_controllen = ControlBytes };
                count = recvmsg(descriptor.Number, &header, MSG_CMSG_CLOEXEC);
                failure = count < 0 ? errno : 0;
            }
            while (failure == EINTR);
            if (failure == ECONNRESET) count = 0;
            else if (failure != 0) throw LinuxError.ToException(failure, "recvmsg", $"descriptor {descriptor.Number}");
        }

        files = [];
        var first = (cmsghdr*)control;
        if (header.msg_controllen >= HeaderBytes && first->cmsg_type == SCM_RIGHTS)
        {
            files = new SafeFileHandle[((int)first->cmsg_len - HeaderBytes) / sizeof(int)];
            for (var i = 0; i < files.Length; i++)
            {
                files[i] = new SafeFileHandle(((int*)((byte*)control + HeaderBytes))[i], ownsHandle: true);
            }
        }

        if ((header.msg_flags & MSG_CTRUNC) != 0)
        {
            foreach (var file in files) file.Dispose();
            files = [];
        }

        return (header.msg_flags & MSG_TRUNC) == 0
            ? (int)count
            : throw new ShmException($"A message between a pool and its fork server was longer than {buffer.Length} bytes.");
    }
}
