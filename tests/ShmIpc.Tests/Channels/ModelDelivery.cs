using ShmIpc.Channels;

namespace ShmIpc.Tests.Channels;

/// <summary>What a consumer said of a message that it handed out.</summary>
/// <param name="Lane">The lane.</param>
/// <param name="Sequence">Its number.</param>
/// <param name="Position">Its position; -1 where the consumer does not say.</param>
/// <param name="Deliveries">Its delivery count.</param>
/// <param name="Payload">A copy of its content.</param>
/// <param name="Typed">The delivery, by which a typed consumer's message is acknowledged.</param>
internal sealed record ModelDelivery(
    int Lane, long Sequence, long Position, int Deliveries, byte[] Payload, Delivery<byte[]> Typed = default)
{
    public static ModelDelivery Of(ShmRecord record) =>
        new(record.Lane, record.Sequence, record.Position, record.DeliveryCount, record.Payload.ToArray());
}
