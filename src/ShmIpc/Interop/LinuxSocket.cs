// Descriptors as part of a message over a Unix domain socket (SCM_RIGHTS): the two system calls, without waiting. Whoever waits for room
// or for a message is Memory/DescriptorPassing.cs.

using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using static ShmIpc.Interop.LibCExtras;
using static Tmds.Linux.LibC;

namespace ShmIpc.Interop;

internal static unsafe class LinuxSocket
{
    /// <summary>The kernel passes no more descriptors with one message (its SCM_MAX_FD).</summary>
    public const int MostDescriptors = 253;

    private const int ControlBytes = 2048; // what the header and so many descriptors take, and room for a sender's credentials

    /// <summary>Sends a message, or its first part, with the descriptors.</summary>
    /// <param name="socket">A Unix domain socket.</param>
    /// <param name="message">At least one byte.</param>
    /// <param name="files">What to pass; may be empty.</param>
    /// <param name="failure">Why nothing was sent.</param>
    /// <returns>How many bytes were sent; -1 for none.</returns>
    public static int TrySend(SafeSocketHandle socket, ReadOnlySpan<byte> message, ReadOnlySpan<SafeFileHandle> files, out int failure)
    {
        var control = stackalloc byte[ControlBytes];
        new Span<byte>(control, ControlBytes).Clear();
        var borrowed = 0;
        var added = false;
        try
        {
            socket.DangerousAddRef(ref added);
            fixed (byte* start = message)
            {
                var bytes = new iovec { iov_base = start, iov_len = (nuint)message.Length };
                var header = new msghdr { msg_iov = &bytes, msg_iovlen = 1 };
                if (files.Length > 0)
                {
                    var dataBytes = files.Length * sizeof(int);
                    header.msg_control = control;
                    header.msg_controllen = (nuint)(sizeof(cmsghdr) + Aligned(dataBytes));
                    var item = (cmsghdr*)control;
                    item->cmsg_level = SOL_SOCKET;
                    item->cmsg_type = SCM_RIGHTS;
                    item->cmsg_len = (nuint)(sizeof(cmsghdr) + dataBytes);
                    var numbers = (int*)(item + 1);
                    for (; borrowed < files.Length; borrowed++)
                    {
                        var isAdded = false;
                        files[borrowed].DangerousAddRef(ref isAdded);
                        numbers[borrowed] = (int)files[borrowed].DangerousGetHandle();
                    }
                }

                var sent = (long)sendmsg((int)socket.DangerousGetHandle(), &header, MSG_DONTWAIT | MSG_NOSIGNAL);
                failure = sent < 0 ? errno : 0;
                return (int)sent;
            }
        }
        finally
        {
            while (--borrowed >= 0) files[borrowed].DangerousRelease();
            if (added) socket.DangerousRelease();
        }
    }

    /// <summary>Receives a message, and the descriptors that came with it, none of which a child inherits.</summary>
    /// <param name="socket">A Unix domain socket.</param>
    /// <param name="message">Where the message goes.</param>
    /// <param name="files">All descriptors that came. They are the caller's, also after a message that was cut short.</param>
    /// <param name="lost">Descriptors came that this process could not be given.</param>
    /// <param name="cut">The message was longer than <paramref name="message"/> and what was behind is gone.</param>
    /// <param name="failure">Why nothing was received.</param>
    /// <returns>How many bytes came, 0 for the end of the stream; -1 for a failure.</returns>
    public static int TryReceive(
        SafeSocketHandle socket, Span<byte> message, List<SafeFileHandle> files, out bool lost, out bool cut, out int failure)
    {
        var control = stackalloc byte[ControlBytes];
        var added = false;
        files.EnsureCapacity(MostDescriptors); // so that nothing can throw between the call and the handles
        try
        {
            socket.DangerousAddRef(ref added);
            fixed (byte* start = message)
            {
                var bytes = new iovec { iov_base = start, iov_len = (nuint)message.Length };
                var header = new msghdr { msg_iov = &bytes, msg_iovlen = 1, msg_control = control, msg_controllen = ControlBytes };
                var count = (long)recvmsg((int)socket.DangerousGetHandle(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
                failure = count < 0 ? errno : 0;
                lost = count >= 0 && (header.msg_flags & MSG_CTRUNC) != 0;
                cut = count >= 0 && (header.msg_flags & MSG_TRUNC) != 0;
                if (count >= 0) Collect(control, (long)header.msg_controllen, files);
                return (int)count;
            }
        }
        finally
        {
            if (added) socket.DangerousRelease();
        }
    }

    // One item of control data after the other, each aligned to a machine word (CMSG_FIRSTHDR, CMSG_NXTHDR).
    private static void Collect(byte* control, long controlBytes, List<SafeFileHandle> files)
    {
        for (long at = 0; at + sizeof(cmsghdr) <= controlBytes;)
        {
            var item = (cmsghdr*)(control + at);
            var itemBytes = (long)item->cmsg_len;
            if (itemBytes < sizeof(cmsghdr) || itemBytes > controlBytes - at) return;
            if (item->cmsg_level == SOL_SOCKET && item->cmsg_type == SCM_RIGHTS)
            {
                var numbers = new ReadOnlySpan<int>(item + 1, (int)(itemBytes - sizeof(cmsghdr)) / sizeof(int));
                foreach (var number in numbers) files.Add(new SafeFileHandle(number, ownsHandle: true));
            }

            at += Aligned(itemBytes);
        }
    }

    private static long Aligned(long bytes) => (bytes + sizeof(nint) - 1) & -sizeof(nint);
}
