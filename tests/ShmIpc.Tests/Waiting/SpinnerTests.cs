using ShmIpc.Waiting;
using Xunit;

namespace ShmIpc.Tests.Waiting;

public class SpinnerTests
{
    [Fact]
    public void Park_never_spins_and_busy_spin_never_stops()
    {
        Spinner park = new(WaitStrategy.Park);
        park.Begin(pauses: 100);
        Assert.False(park.TrySpin());
        Spinner busy = new(WaitStrategy.BusySpin);
        busy.Begin();
        int checks = 0;
        for (int i = 0; i < 100_000; i++)
        {
            Assert.True(busy.TrySpin());
            checks += busy.IsTimeToCheck ? 1 : 0;
        }

        Assert.InRange(checks, 100, 10_000);
    }

    [Fact]
    public void Adaptive_spins_for_a_while_that_shrinks_when_it_is_in_vain_and_grows_when_it_pays()
    {
        Spinner spinner = new(WaitStrategy.Adaptive);
        for (int i = 0; i < 10; i++)
        {
            spinner.Failed();
        }

        int least = Best(spinner);
        for (int i = 0; i < 10; i++)
        {
            spinner.Succeeded();
        }

        int most = Best(spinner);
        Assert.True(Environment.ProcessorCount == 1 || least < most, $"{least} looks after failures, {most} after successes");

        // The most looks of some tries: a thread that loses its processor in between makes fewer.
        static int Best(Spinner spinner)
        {
            int best = 0;
            for (int attempt = 0; attempt < 20; attempt++)
            {
                spinner.Begin();
                int looks = 0;
                while (spinner.TrySpin())
                {
                    looks++;
                    Assert.True(looks < 10_000_000);
                }

                best = Math.Max(best, looks);
            }

            return best;
        }
    }
}
