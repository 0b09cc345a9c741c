// Workers that are killed while a pool works, in each start mode. The pool has a process of its own (Roles/PoolKillRoles.cs), which counts
// the answers; here stands how many kills there are, and how long it may take.

using System.Globalization;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.Workers;

namespace ShmIpc.ProcessTests.Workers;

public sealed class PoolKillTests(ITestOutputHelper output)
{
    private static readonly TimeSpan _patience = Campaign.IsLong ? TimeSpan.FromHours(2) : TimeSpan.FromMinutes(10); // seconds, where it is quiet

    public static TheoryData<WorkerStartMode> Modes => [WorkerStartMode.Spawn, WorkerStartMode.ForkServer, WorkerStartMode.Fork];

    [Theory]
    [MemberData(nameof(Modes))]
    public void Workers_killed_at_random_leave_every_job_answered_exactly_once(WorkerStartMode mode)
    {
        int jobs = Campaign.IsLong ? 100_000 : 2_000;
        int kills = Campaign.IsLong ? 1_000 : 15;
        int[] seen = Run("pool-killed-at-work", mode, ("jobs", jobs), ("kills", kills));
        output.WriteLine($"{seen[0]} jobs, {seen[1]} kills, {seen[2]} jobs done by a second worker");
        Assert.True(seen[0] >= jobs);
        Assert.Equal(kills, seen[1]);
        Assert.InRange(seen[2], 1, kills); // so they were killed with jobs in hand
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void A_worker_killed_at_any_time_is_replaced_however_often(WorkerStartMode mode)
    {
        int kills = Campaign.IsLong ? 2_000 : 12;
        int[] seen = Run("pool-killed-at-any-time", mode, ("kills", kills));
        output.WriteLine($"{seen[0]} jobs, {seen[1]} kills, {seen[2]} jobs given up");
        Assert.Equal(kills, seen[1]);
    }

    private int[] Run(string role, WorkerStartMode mode, params (string, object)[] more)
    {
        Campaign campaign = new(output);
        using ChildProcess pool = ChildProcess.Start(role, [("mode", mode), ("seed", campaign.Seed), .. more]);
        Assert.SkipWhen(pool.Expect("ready")[0] != mode.ToString(), $"Workers cannot be started by {mode} here.");
        int[] seen = [.. pool.Expect("done", _patience).Select(word => int.Parse(word, CultureInfo.InvariantCulture))];
        pool.Expect("alone");
        pool.ExpectEnd();
        return seen;
    }
}
