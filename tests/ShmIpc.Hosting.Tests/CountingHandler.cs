// A handler that keeps what it has finished, and how often that was handed out.

using System.Collections.Concurrent;

namespace ShmIpc.Hosting.Tests;

internal sealed class CountingHandler(
    string host, Func<string, Task>? onMessage, ConcurrentQueue<(string Host, string Message, int DeliveryCount)> handled)
    : IShmMessageHandler<string>
{
    public ValueTask HandleAsync(string message, CancellationToken cancellationToken) =>
        throw new InvalidOperationException("The other one is called.");

    public async ValueTask HandleAsync(string message, int deliveryCount, CancellationToken cancellationToken)
    {
        if (onMessage is not null) await onMessage(message).WaitAsync(cancellationToken);
        await Task.Yield();
        handled.Enqueue((host, message, deliveryCount));
    }
}
