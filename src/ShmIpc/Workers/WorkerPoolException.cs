namespace ShmIpc.Workers;

/// <summary>A pool cannot go on, or has stopped: its workers do not start, or die one after the other.</summary>
public sealed class WorkerPoolException : ShmException
{
    internal WorkerPoolException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
