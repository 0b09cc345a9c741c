namespace ShmIpc;

/// <summary>The messages of a batch can never stand in their lane all at once. Nothing of the batch was published.</summary>
public sealed class ShmBatchTooLargeException : ShmException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="batchBytes">Size of the batch as far as it was known, headers and padding included.</param>
    /// <param name="maxBatchBytes">Largest batch of the channel.</param>
    public ShmBatchTooLargeException(long batchBytes, long maxBatchBytes)
        : base(
            $"A batch of {batchBytes} bytes (8 for each message, and payloads in multiples of 8) is too large: all of it stands in the "
            + $"lane before any of it is visible, and that holds {maxBatchBytes}. Publish smaller batches, or create the channel with a "
            + "larger LaneCapacityBytes.")
    {
        BatchBytes = batchBytes;
        MaxBatchBytes = maxBatchBytes;
    }

    /// <summary>Size of the batch in bytes as far as it was known, headers and padding included.</summary>
    public long BatchBytes { get; }

    /// <summary>Largest batch of the channel in bytes, headers and padding included: the lane's capacity, less 8.</summary>
    public long MaxBatchBytes { get; }
}
