namespace ShmIpc.Tests;

/// <summary>What something allocates on the thread that does it. The runtime allocates there now and then, too (a thread that compiles
/// anew what runs often, for one); it only ever adds, so the least of a few times counts.</summary>
internal static class AllocatedBytes
{
    private const int Times = 5;

    /// <param name="act">Was done before, so that everything is compiled.</param>
    public static long Of(Action act)
    {
        long least = long.MaxValue;
        for (int time = 0; time < Times && least > 0; time++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            act();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
