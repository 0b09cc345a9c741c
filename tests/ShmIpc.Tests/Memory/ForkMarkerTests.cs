// What one process can see of the marker; ForkTests in ShmIpc.ProcessTests forks.

using ShmIpc.Memory;
using Xunit;

namespace ShmIpc.Tests.Memory;

public sealed class ForkMarkerTests
{
    [Fact]
    public void A_process_has_one_generation_whoever_asks_first()
    {
        int[] generations = new int[8];
        Parallel.For(0, generations.Length, i => generations[i] = ForkMarker.Join());
        Assert.All(generations, generation => Assert.Equal(ForkMarker.Generation, generation));
        Assert.NotEqual(0, ForkMarker.Generation);
    }

    [Fact]
    public void The_kernel_wipes_the_marker_in_a_child()
    {
        _ = ForkMarker.Join();
        string[] marked = [.. File.ReadLines("/proc/self/smaps")
            .Where(line => line.StartsWith("VmFlags:", StringComparison.Ordinal) && line.Split(' ').Contains("wf"))];
        Assert.NotEmpty(marked);
    }

    [Fact]
    public void A_thing_is_at_home_where_it_was_made()
    {
        HomeProcess home = HomeProcess.Current();
        Assert.True(home.IsHere);
        Assert.Equal(Environment.ProcessId, home.ProcessId);
        home.Require("thing");
        ShmForkedProcessException refusal = Assert.Throws<ShmForkedProcessException>(() => home.ThrowForked("thing"));
        Assert.Contains($"The thing belongs to process {Environment.ProcessId}", refusal.Message, StringComparison.Ordinal);
    }
}
