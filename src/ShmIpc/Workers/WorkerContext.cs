namespace ShmIpc.Workers;

/// <summary>What a worker's body knows of where it runs.</summary>
public sealed class WorkerContext
{
    internal WorkerContext(int index, int restarts, IReadOnlyDictionary<string, string> arguments, CancellationToken stopping)
    {
        Index = index;
        Restarts = restarts;
        Arguments = arguments;
        StoppingToken = stopping;
        CancellationToken = stopping;
    }

    private WorkerContext(WorkerContext worker, int deliveryCount, CancellationToken cancellation)
        : this(worker.Index, worker.Restarts, worker.Arguments, worker.StoppingToken)
    {
        DeliveryCount = deliveryCount;
        CancellationToken = cancellation;
    }

    /// <summary>The worker's place in the pool, from 0.</summary>
    public int Index { get; }

    /// <summary>How many processes had this place before.</summary>
    public int Restarts { get; }

    /// <summary>What the pool's options say (<see cref="WorkerPoolOptions.Arguments"/>).</summary>
    public IReadOnlyDictionary<string, string> Arguments { get; }

    /// <summary>How often this job was handed to a worker, this time included; more than 1 says that a worker died with it. 0 in a plain
    /// body.</summary>
    public int DeliveryCount { get; }

    /// <summary>Cancelled when nobody waits for this job any more; in a plain body, when the worker is told to stop.</summary>
    public CancellationToken CancellationToken { get; }

    /// <summary>Cancelled when the worker is told to stop: it gets no further job, and has until
    /// <see cref="WorkerPoolOptions.StopTimeout"/> to finish this one.</summary>
    public CancellationToken StoppingToken { get; }

    internal WorkerContext ForJob(int deliveryCount, CancellationToken cancellation) => new(this, deliveryCount, cancellation);
}
