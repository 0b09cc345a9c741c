using ShmIpc.Benchmarks.Measuring;

namespace ShmIpc.Benchmarks.Transports.Rings;

/// <summary>The writing end of a <see cref="SequenceRing"/>.</summary>
internal readonly struct SequenceRingSender(SequenceRing ring, Lifeline lifeline) : ISender
{
    public bool Send(ReadOnlySpan<byte> payload) => ring.Write(payload, lifeline);
}
