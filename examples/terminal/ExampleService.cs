// The base of the services that do the work of the example programs: when the work ends, for whatever reason, the host ends too.
using Microsoft.Extensions.Hosting;

namespace ShmIpc.Examples.Terminal;

/// <summary>A hosted service whose end is the end of the program.</summary>
public abstract class ExampleService(IHostApplicationLifetime lifetime, Outcome outcome) : BackgroundService
{
    /// <summary>Does the work and returns the exit code.</summary>
    protected abstract Task<int> RunAsync(CancellationToken stopping);

    /// <inheritdoc/>
    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            outcome.ExitCode = await RunAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        catch (Exception e) when (ExampleException.ExitCodeOf(e) is int exitCode)
        {
            outcome.ExitCode = exitCode;
            ExampleException.Report(e);
        }
        finally
        {
            lifetime.StopApplication();
        }
    }

    /// <summary>Runs <paramref name="work"/> on a thread of its own: a loop that spins and blocks has no business on the thread
    /// pool.</summary>
    protected static Task<int> OnOwnThread(Func<int> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
