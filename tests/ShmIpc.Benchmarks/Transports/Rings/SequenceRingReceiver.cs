namespace ShmIpc.Benchmarks.Transports.Rings;

/// <summary>The reading end of a <see cref="SequenceRing"/>, whose messages all have the size of the destination.</summary>
internal readonly struct SequenceRingReceiver(SequenceRing ring) : IReceiver
{
    public int Receive(Span<byte> destination)
    {
        ring.Read(destination);
        return destination.Length;
    }
}
