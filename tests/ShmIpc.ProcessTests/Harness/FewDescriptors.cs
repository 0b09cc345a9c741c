// All descriptors of this process but so many are taken, for as long as it lives.

namespace ShmIpc.ProcessTests.Harness;

internal sealed class FewDescriptors : IDisposable
{
    private const ulong Most = 400;
    private readonly ulong _before = Linux.Limit(Linux.RLIMIT_NOFILE, Most);
    private readonly List<int> _taken = [];

    public FewDescriptors(int left)
    {
        for (int taken; (taken = Linux.Duplicate(0)) >= 0;)
        {
            _taken.Add(taken);
        }

        for (; left > 0; left--)
        {
            Linux.Close(_taken[^1]);
            _taken.RemoveAt(_taken.Count - 1);
        }
    }

    public void Dispose()
    {
        _taken.ForEach(Linux.Close);
        Linux.Limit(Linux.RLIMIT_NOFILE, _before);
    }
}
