// What a child has opened of a channel, closed in the opposite order.

namespace ShmIpc.Benchmarks.Transports.OfChannels;

internal abstract class OpenEnds : IDisposable
{
    private readonly Stack<IDisposable> _opened = [];

    public void Dispose()
    {
        while (_opened.TryPop(out IDisposable? opened))
        {
            opened.Dispose();
        }
    }

    protected T Keep<T>(T opened)
        where T : IDisposable
    {
        _opened.Push(opened);
        return opened;
    }
}
