using ShmIpc.Channels;

namespace ShmIpc.Hosting;

/// <summary>Handles the messages of a hosted consumer, one after another. It is resolved in a service scope of its own for every
/// message, as a request is in ASP.NET Core; register it as a singleton beforehand to have one instance for all of them.</summary>
/// <typeparam name="T">The type of the messages.</typeparam>
public interface IShmMessageHandler<in T>
{
    /// <summary>Handles one message. The next one is not read before this has finished.</summary>
    /// <param name="message">The message.</param>
    /// <param name="cancellationToken">Cancelled when the host shuts down and has waited for this message as long as it may
    /// (<c>HostOptions.ShutdownTimeout</c>, by default 30 seconds), not already when the shutdown begins: the message in hand is
    /// finished.</param>
    /// <returns>A task that ends when the message is handled.</returns>
    ValueTask HandleAsync(T message, CancellationToken cancellationToken);

    /// <summary>Handles one message that may have been handed out before. It is this that is called; implement it where redelivery
    /// matters. Default: calls the other one.</summary>
    /// <param name="message">The message.</param>
    /// <param name="deliveryCount">How often a member of the consumer's group was handed this message, this time included: 1, unless a
    /// member died or stopped before its handler returned. See <see cref="Delivery{T}.DeliveryCount"/>.</param>
    /// <param name="cancellationToken">As in the other one.</param>
    /// <returns>A task that ends when the message is handled.</returns>
    ValueTask HandleAsync(T message, int deliveryCount, CancellationToken cancellationToken) => HandleAsync(message, cancellationToken);
}
