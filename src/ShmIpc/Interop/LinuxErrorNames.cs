// C's names of Linux error numbers: the same on x64 and arm64, and a test compares each with the C headers.

using System.Globalization;

namespace ShmIpc.Interop;

internal static class LinuxErrorNames
{
    // In the order of the numbers, from 1, ten a line. Where two names share a number (EAGAIN, EWOULDBLOCK) the usual one stands here.
    private const string InOrder = """
        EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD
        EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST EXDEV ENODEV ENOTDIR
        EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS
        EMLINK EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP
        - ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG EUNATCH ENOCSI
        EL2HLT EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT - EBFONT ENOSTR
        ENODATA ETIME ENOSR ENONET ENOPKG EREMOTE ENOLINK EADV ESRMNT ECOMM
        EPROTO EMULTIHOP EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ EBADFD EREMCHG ELIBACC ELIBBAD
        ELIBSCN ELIBMAX ELIBEXEC EILSEQ ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE
        EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN
        ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT
        ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL EISNAM
        EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED EOWNERDEAD
        ENOTRECOVERABLE ERFKILL EHWPOISON
        """;

    private const string None = "-";

    private static readonly string[] _names = InOrder.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Every number that has a name, with it.</summary>
    public static IEnumerable<(int Number, string Name)> All =>
        _names.Select((name, index) => (index + 1, name)).Where(entry => entry.name != None);

    /// <summary>The name, or <c>errno 200</c> for a number that has none.</summary>
    public static string NameOf(int errno) =>
        errno >= 1 && errno <= _names.Length && _names[errno - 1] != None
            ? _names[errno - 1]
            : "errno " + errno.ToString(CultureInfo.InvariantCulture);
}
