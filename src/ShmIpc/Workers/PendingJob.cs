namespace ShmIpc.Workers;

/// <summary>A job that was handed out and not answered.</summary>
internal abstract class PendingJob
{
    /// <summary>Its number while it is in the <see cref="JobLedger"/>.</summary>
    public ulong Number { get; set; }

    /// <summary>How many workers have died with it. Under the ledger's lock.</summary>
    public int Deaths { get; set; }

    /// <summary>How the last of them ended. Under the ledger's lock.</summary>
    public WorkerExit? LastExit { get; set; }

    public abstract void Fail(Exception error);

    public abstract void Cancel(CancellationToken cancellationToken);
}
