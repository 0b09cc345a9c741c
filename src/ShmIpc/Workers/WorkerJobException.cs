namespace ShmIpc.Workers;

/// <summary>A job was not done: its body threw, or the workers that had it died.</summary>
public sealed class WorkerJobException : ShmException
{
    internal WorkerJobException(string message)
        : base(message)
    {
    }

    /// <summary>Full name of the exception's type in the worker; null when the body did not throw.</summary>
    public string? RemoteTypeName { get; init; }

    /// <summary>The exception's message in the worker (cut to 4,000 characters); null when the body did not throw.</summary>
    public string? RemoteMessage { get; init; }

    /// <summary>The exception with its inner ones and their stacks, as <see cref="Exception.ToString"/> wrote it in the worker (cut to
    /// 4,000 characters); null when the body did not throw.</summary>
    public string? RemoteStackTrace { get; init; }

    /// <summary>How the last worker that had the job ended; null when the body threw.</summary>
    public WorkerExit? Exit { get; init; }

    /// <summary>How many workers died with the job.</summary>
    public int Deaths { get; init; }
}
