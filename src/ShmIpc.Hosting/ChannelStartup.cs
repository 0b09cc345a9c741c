// Opens every channel of the host before any other hosted service starts, so that a channel that cannot be opened ends the start with its
// reason, and not the first message an hour later.

using Microsoft.Extensions.Hosting;

namespace ShmIpc.Hosting;

internal sealed class ChannelStartup(IServiceProvider services, IEnumerable<ChannelRegistration> channels) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        foreach (ChannelRegistration channel in channels)
        {
            cancellationToken.ThrowIfCancellationRequested();
            channel.Open(services);
        }

        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
