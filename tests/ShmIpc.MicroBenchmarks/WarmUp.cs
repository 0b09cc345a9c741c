namespace ShmIpc.MicroBenchmarks;

/// <summary>Runs a benchmark until the runtime has compiled it for good, which it does on another thread.</summary>
internal static class WarmUp
{
    private const int Rounds = 40;
    private const int CallsPerRound = 20;
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(25);

    public static void Run(Action operations)
    {
        for (int round = 0; round < Rounds; round++)
        {
            for (int call = 0; call < CallsPerRound; call++)
            {
                operations();
            }

            Thread.Sleep(_pause);
        }
    }
}
