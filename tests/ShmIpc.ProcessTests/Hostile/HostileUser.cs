// Somebody who behaves, in a region whose memory somebody scribbles over: does any of what the public surface offers, and expects of each
// operation what Outcomes says. What fails is disposed, which always works, and made anew.

namespace ShmIpc.ProcessTests.Hostile;

internal abstract class HostileUser(Random random, Outcomes outcomes) : IDisposable
{
    /// <summary>No wait takes longer.</summary>
    private const int MostMs = 2;

    protected Random Random { get; } = random;

    protected Outcomes Outcomes { get; } = outcomes;

    /// <summary>True when the region could be opened.</summary>
    public abstract bool IsOpen { get; }

    /// <summary>One operation.</summary>
    public abstract void Step();

    public abstract void Dispose();

    protected TimeSpan Soon() => Random.Next(10) == 0 ? TimeSpan.FromMilliseconds(Random.Next(MostMs + 1)) : TimeSpan.Zero;

    /// <summary>Begins an await, gives it up, and expects it to end.</summary>
    protected void Await(string operation, Func<CancellationToken, Task> begin) => Outcomes.Try(operation, () =>
    {
        using CancellationTokenSource end = new();
        Task task = begin(end.Token);
        if (!task.IsCompleted && Random.Next(10) == 0)
        {
            Thread.Sleep(Random.Next(MostMs + 1));
        }

        end.Cancel();
        task.WaitAsync(TimeSpan.FromSeconds(60)).GetAwaiter().GetResult();
    });

    protected static void Touch(ReadOnlySpan<byte> bytes)
    {
        int sum = 0;
        foreach (byte value in bytes)
        {
            sum += value;
        }

        GC.KeepAlive(sum);
    }
}
