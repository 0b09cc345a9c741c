namespace ShmIpc;

/// <summary>An operation on shared memory failed; the message says what was tried, why it failed and what to do.</summary>
/// <remarks>The base of every exception that is particular to this library. Bad arguments are <see cref="ArgumentException"/>,
/// use after <c>Dispose </c> is <see cref="ObjectDisposedException"/>, and missing permission is
/// <see cref="UnauthorizedAccessException"/>, as elsewhere in .NET.</remarks>
public class ShmException : IOException
{
    /// <summary>Creates the exception with a message.</summary>
    public ShmException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with a message and the exception that caused it.</summary>
    public ShmException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>The Linux error number behind this failure, or 0 where there was none.</summary>
    public int ErrorNumber { get; init; }
}
