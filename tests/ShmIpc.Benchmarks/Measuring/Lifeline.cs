// Standard input as the leash of a child: a line asks it to stop, the end of the stream means that the driver has died.

namespace ShmIpc.Benchmarks.Measuring;

internal sealed class Lifeline
{
    private volatile bool _stopRequested;

    public Lifeline() => new Thread(Watch) { IsBackground = true, Name = "lifeline" }.Start();

    public bool StopRequested => _stopRequested;

    private void Watch()
    {
        if (Console.In.ReadLine() is null)
        {
            Environment.Exit(3);
        }

        _stopRequested = true;
    }
}
