// Where the figures are shown: a display that is redrawn on a terminal, lines otherwise.
namespace ShmIpc.Examples.Consumer;

internal interface ITelemetryView
{
    /// <summary>Calls <paramref name="follow"/> with a function that shows one update, and returns when that returns.</summary>
    Task RunAsync(Func<Action<TelemetryFigures, TelemetryTracker>, Task> follow);
}
