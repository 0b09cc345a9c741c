// Claim, fill in place, commit: what a serializer does.

using ShmIpc.Channels;

namespace ShmIpc.Benchmarks.Transports.OfChannels;

internal readonly struct ChannelClaimSender(ByteProducer producer) : ISender
{
    public bool Send(ReadOnlySpan<byte> payload)
    {
        if (!producer.TryClaim(payload.Length, out Claim claim))
        {
            claim = producer.Claim(payload.Length);
        }

        payload.CopyTo(claim.Span);
        claim.Commit(payload.Length);
        return true;
    }
}
