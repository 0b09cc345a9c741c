// Threads that use a mapping while another disposes it: each either has its bytes, or gets the exception.

using ShmIpc.Memory;
using Xunit;

namespace ShmIpc.Tests.Memory;

internal static class DisposeRace
{
    /// <param name="rounds">How many mappings are raced for, each a little longer than the last.</param>
    /// <param name="spins">How much longer.</param>
    /// <param name="use">Uses the mapping once; throws when it is disposed.</param>
    public static void Run(int rounds, int spins, Action<MemoryMapping> use)
    {
        for (var round = 0; round < rounds; round++)
        {
            var mapping = MemoryMapping.MapAnonymous(Environment.SystemPageSize);
            using var start = new Barrier(3);
            var users = Enumerable.Range(0, 2)
                .Select(_ => new Thread(() => UseUntilDisposed(mapping, start, use)) { IsBackground = true })
                .ToArray();
            foreach (var user in users) user.Start();
            Assert.True(start.SignalAndWait(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken));
            Thread.SpinWait(round * spins);
            mapping.Dispose();
            Assert.All(users, user => Assert.True(user.Join(TimeSpan.FromSeconds(60))));
            Assert.Throws<ObjectDisposedException>(() => _ = mapping.Whole);
        }
    }

    private static void UseUntilDisposed(MemoryMapping mapping, Barrier start, Action<MemoryMapping> use)
    {
        start.SignalAndWait(TimeSpan.FromSeconds(60));
        try
        {
            while (true) use(mapping);
        }
        catch (ObjectDisposedException)
        {
        }
    }
}
