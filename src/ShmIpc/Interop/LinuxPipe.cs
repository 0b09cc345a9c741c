// Pipes, event counters and sockets between a process and its children, all of them close-on-exec; and waiting for several at once.

using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace ShmIpc.Interop;

internal static unsafe class LinuxPipe
{
    /// <summary>Makes a pipe. Its reading end never blocks.</summary>
    public static (SafeFileHandle Reading, SafeFileHandle Writing) Create()
    {
        var ends = stackalloc int[2];
        if (pipe2(ends, O_CLOEXEC) != 0) throw LinuxError.ToException(errno, "pipe2", "O_CLOEXEC");
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK);
        return (Own(ends[0]), Own(ends[1]));
    }

    /// <summary>Makes a pair of connected sockets that carry whole messages, with descriptors.</summary>
    public static (SafeFileHandle Ours, SafeFileHandle Theirs) CreateSockets()
    {
        var ends = stackalloc int[2];
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        {
            throw LinuxError.ToException(errno, "socketpair", "AF_UNIX, SOCK_SEQPACKET|SOCK_CLOEXEC");
        }

        return (Own(ends[0]), Own(ends[1]));
    }

    /// <summary>Makes a counter that is readable while it is not zero.</summary>
    public static SafeFileHandle CreateBell()
    {
        var descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        return descriptor >= 0 ? Own(descriptor) : throw LinuxError.ToException(errno, "eventfd", "EFD_CLOEXEC|EFD_NONBLOCK");
    }

    /// <summary>Makes a bell readable.</summary>
    public static void Ring(SafeFileHandle bell)
    {
        using var descriptor = new BorrowedDescriptor(bell);
        ulong one = 1;
        _ = write(descriptor.Number, &one, sizeof(ulong)); // fails only when it rings already, 2^64 times
    }

    /// <summary>Reads what is there.</summary>
    /// <returns>The number of bytes; 0 when nobody can write any more, and -1 when there is nothing now.</returns>
    public static int Read(SafeFileHandle end, Span<byte> buffer)
    {
        using var descriptor = new BorrowedDescriptor(end);
        fixed (byte* bytes = buffer)
        {
            while (true)
            {
                var count = (int)(ssize_t)read(descriptor.Number, bytes, (size_t)(ulong)buffer.Length);
                if (count >= 0) return count;
                var failure = errno;
                if (failure == EAGAIN) return -1;
                if (failure != EINTR) throw LinuxError.ToException(failure, "read", $"descriptor {descriptor.Number}");
            }
        }
    }

    /// <summary>Waits until one of several descriptors can be read or is at its end.</summary>
    /// <param name="ends">What to wait for.</param>
    /// <param name="timeoutMs">Longest wait in milliseconds; -1 for ever.</param>
    /// <param name="ready">Set for each that is ready.</param>
    public static void Wait(ReadOnlySpan<SafeFileHandle> ends, int timeoutMs, Span<bool> ready)
    {
        var entries = stackalloc pollfd[ends.Length];
        var borrowed = 0;
        try
        {
            for (; borrowed < ends.Length; borrowed++)
            {
                var added = false;
                ends[borrowed].DangerousAddRef(ref added);
                entries[borrowed] = new pollfd { fd = (int)ends[borrowed].DangerousGetHandle(), events = (short)POLLIN };
            }

            var result = LibCExtras.poll(entries, (ulong)ends.Length, timeoutMs);
            var failure = result < 0 ? Marshal.GetLastPInvokeError() : 0;
            if (failure != 0 && failure != EINTR) throw LinuxError.ToException(failure, "poll", $"{ends.Length} descriptors");
            for (var i = 0; i < ends.Length; i++) ready[i] = result > 0 && entries[i].revents != 0;
        }
        finally
        {
            while (borrowed > 0) ends[--borrowed].DangerousRelease();
        }
    }

    private static SafeFileHandle Own(int descriptor) => new(descriptor, ownsHandle: true);
}
