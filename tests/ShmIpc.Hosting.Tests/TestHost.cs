// Builds the hosts of the tests: empty ones, with a log recorder and a root of their own, and a shutdown that does not take long.

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ShmIpc.Hosting.Tests;

internal static class TestHost
{
    /// <summary>How long anything may take that is expected to happen.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static IHost Build(TestRoot root, Action<ShmIpcBuilder> add, LogRecorder? log = null)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.AddProvider(log ?? new LogRecorder()).SetMinimumLevel(LogLevel.Trace);
        add(builder.Services.AddShmIpc(options => options.Root = root.Path));
        return builder.Build();
    }

    public static async Task<IHost> StartAsync(TestRoot root, Action<ShmIpcBuilder> add, LogRecorder? log = null)
    {
        IHost host = Build(root, add, log);
        await host.StartAsync(Cancellation);
        return host;
    }

    public static Task StopAsync(IHost host) => host.StopAsync(Cancellation).WaitAsync(Patience, Cancellation);

    /// <summary>Ends when the host has begun to stop by itself.</summary>
    public static async Task ItStopsAsync(IHost host)
    {
        IHostApplicationLifetime lifetime = host.Services.GetRequiredService<IHostApplicationLifetime>();
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration _ = lifetime.ApplicationStopping.Register(stopping.SetResult);
        await stopping.Task.WaitAsync(Patience, Cancellation);
    }

    /// <summary>Ends when the condition holds.</summary>
    public static async Task UntilAsync(Func<bool> condition)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        patience.CancelAfter(Patience);
        while (!condition()) await Task.Delay(5, patience.Token);
    }
}
