// A consumer as a hosted service: reads one message after another and gives it to the handler. It joins the channel while the host is
// starting (before any StartAsync), so that it sees what the host's own services send, and leaves when its loop ends, so that it holds
// no producer back. In a named group a message is acknowledged when its handler has returned, or was given up: what a crash, a failure or
// the end of the shutdown's patience cut short is delivered again.

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ShmIpc.Channels;

namespace ShmIpc.Hosting;

internal sealed class ConsumerService<T>(
    IServiceProvider services, string channel, Func<T, int, CancellationToken, ValueTask> handler, ShmConsumerOptions options)
    : BackgroundService, IHostedLifecycleService
{
    // How often a consumer of a complete channel looks for new producers.
    private static readonly TimeSpan _completePollInterval = TimeSpan.FromMilliseconds(50);

    private readonly ILogger _logger = Log.CreateLogger(services);
    private readonly CancellationTokenSource _handlerPatience = new();
    private Consumer<T>? _consumer;
    private long _messageCount;
    private bool _isComplete; // and that was logged

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        Join();
        return Task.CompletedTask;
    }

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        Join(); // a host that knows no lifecycle services did not call StartingAsync
        return base.StartAsync(cancellationToken);
    }

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        Leave();

        // Either the loop has ended and nobody listens any more, or the host has waited for the message in hand as long as it may.
        await _handlerPatience.CancelAsync().ConfigureAwait(false);
    }

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Dispose()
    {
        base.Dispose();
        Leave();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using Consumer<T> consumer = _consumer!;
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                if (TryRead(consumer, out Delivery<T> delivery))
                {
                    await HandleAsync(delivery).ConfigureAwait(false);
                }
                else if (!await WaitAsync(consumer, stoppingToken).ConfigureAwait(false))
                {
                    break;
                }
            }
        }
        finally
        {
            Log.ConsumerLeft(_logger, channel, _messageCount);
        }
    }

    private void Join()
    {
        if (_consumer is not null) return;
        _consumer = services.GetRequiredKeyedService<ShmChannel<T>>(channel).CreateConsumer(options.ToConsumerOptions());
        Log.ConsumerJoined(_logger, channel);
    }

    // For the loop that never ran, as when the host stops while it starts. One that runs leaves by itself, even when a handler outlasts
    // the shutdown.
    private void Leave()
    {
        if (ExecuteTask is null or { IsCompleted: true }) _consumer?.Dispose();
    }

    private bool TryRead(Consumer<T> consumer, out Delivery<T> delivery)
    {
        try
        {
            return consumer.TryReceive(out delivery);
        }
        catch (ShmPayloadException undecodable)
        {
            Log.MessageSkipped(_logger, undecodable, channel, undecodable.Lane, undecodable.Position);
            delivery = default;
            return false; // the wait for the next message returns at once if there is one
        }
        catch (ShmRegionDeletedException deleted)
        {
            Log.RegionDeleted(_logger, deleted, channel);
            throw;
        }
    }

    /// <summary>Waits until there may be something to read. False: the consumer is to end.</summary>
    private async ValueTask<bool> WaitAsync(Consumer<T> consumer, CancellationToken stoppingToken)
    {
        try
        {
            if (await consumer.WaitToReadAsync(stoppingToken).ConfigureAwait(false))
            {
                _isComplete = false;
                return true;
            }

            if (options.StopOnCompletion)
            {
                Log.ConsumerEnds(_logger, channel);
                return false;
            }

            if (!_isComplete) Log.WaitsForNewProducers(_logger, channel);
        }
        catch (ShmRemoteException error) when (!options.StopOnCompletion)
        {
            if (!_isComplete) Log.CompletedWithError(_logger, error, channel);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            return false;
        }
        catch (ShmRegionDeletedException deleted)
        {
            Log.RegionDeleted(_logger, deleted, channel);
            throw;
        }

        _isComplete = true;
        await Task.Delay(_completePollInterval, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return true;
    }

    /// <summary>Has the message handled, and acknowledges it unless the handler did not get to its end.</summary>
    private async ValueTask HandleAsync(Delivery<T> delivery)
    {
        _messageCount++;
        if (delivery.DeliveryCount > 1) Log.MessageRedelivered(_logger, channel, _messageCount, delivery.DeliveryCount);
        try
        {
            await handler(delivery.Message, delivery.DeliveryCount, _handlerPatience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_handlerPatience.IsCancellationRequested)
        {
            Log.HandlerCancelled(_logger, channel, _messageCount);
            return;
        }
        catch (Exception exception) when (options.OnHandlerError == HandlerErrorBehavior.Continue)
        {
            Log.MessageGivenUp(_logger, exception, channel, _messageCount);
        }
        catch (Exception exception)
        {
            Log.HandlerFailed(_logger, exception, channel, _messageCount);
            throw;
        }

        if (options.Group is not null) delivery.Acknowledge();
    }
}
