// Carries the lines of workers from the launcher's thread, which must not be held up, to a listener that may take its time. A listener that
// takes too long loses the oldest lines, and is told how many.

using System.Globalization;
using System.Threading.Channels;
using ShmIpc.Memory;

namespace ShmIpc.Workers;

internal sealed class OutputForwarder
{
    private const int MaxLines = 10_000;

    private readonly Action<WorkerOutput> _listener;
    private readonly Channel<WorkerOutput> _lines;
    private int _lost;

    public OutputForwarder(Action<WorkerOutput>? listener)
    {
        _listener = listener ?? Print;
        BoundedChannelOptions options = new(MaxLines) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true };
        _lines = Channel.CreateBounded<WorkerOutput>(options, _ => Atomics.Increment(ref _lost));
    }

    public void Add(WorkerOutput line) => _lines.Writer.TryWrite(line);

    /// <summary>There will be no more lines.</summary>
    public void Complete() => _lines.Writer.TryComplete();

    public async Task RunAsync()
    {
        await foreach (WorkerOutput line in _lines.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            if (Atomics.Exchange(ref _lost, 0) is > 0 and int lost)
            {
                Tell(new WorkerOutput(line.Worker, IsError: true, $"({lost} lines of workers were lost: the listener is too slow)"));
            }

            Tell(line);
        }
    }

    private void Tell(WorkerOutput line)
    {
        try
        {
            _listener(line);
        }
        catch (Exception)
        {
            // a listener's mistake is not the pool's
        }
    }

    private static void Print(WorkerOutput line) => (line.IsError ? Console.Error : Console.Out).WriteLine(
        string.Create(CultureInfo.InvariantCulture, $"[worker {line.Worker}] {line.Line}"));
}
