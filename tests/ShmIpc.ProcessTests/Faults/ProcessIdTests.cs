// Liveness is a lock and not a number: numbers are used again, and mean different processes in different namespaces.

using System.Diagnostics;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Faults;

public sealed class ProcessIdTests
{
    [Fact]
    public void Processes_that_all_have_number_one_are_alive_apart_and_die_apart()
    {
        using ScratchRoot root = new();
        using Party writer = new(Isolation.ProcessIds);
        using Party active = new(Isolation.ProcessIds);
        using Party here = new();
        Assert.Equal(("1", "1"), (writer.Do("id"), active.Do("id")));
        writer.Do($"create {root.Path} x");
        writer.Do("produce");
        active.Do($"open {root.Path} x");
        active.Do("consume group");
        here.Do($"open {root.Path} x");
        here.Do("consume group");
        string self = here.Do("id");
        Assert.Equal(["1", self], here.Do("members").Split(' ').Order(StringComparer.Ordinal));
        Assert.Equal(("yes", "no"), (active.Do("active"), here.Do("active")));
        writer.Do("write 1 0 20");
        active.Do("read 1 0 20");
        Assert.Equal("1 2", here.Do("counts"));

        Kill(active);
        writer.Do("write 1 20 20");
        here.Do("read 1 19 21"); // from what the dead one had in its hand
        Assert.Equal("1 1", writer.Do("counts"));

        Kill(writer);
        Assert.Equal("0 1", here.Do("counts"));
        Assert.Equal("0", here.Do("produce"));
        here.Do("write 2 0 20");
        here.Do("read 2 0 20");
        EnvironmentRows.Shown(
            60, "participants in different PID namespaces have the same process id",
            "nothing: they are told apart, and each one's death is noticed everywhere");
    }

    [Fact]
    public async Task A_dead_participant_whose_number_somebody_else_got_is_dead()
    {
        using ScratchRoot root = new();
        using Party first = new(Isolation.ProcessIds); // the first of the namespace, which ends with it
        string[] enter =
        [
            "nsenter", "--target", $"{Linux.OnlyChildOf(first.Process.Id)}", "--pid", "--mount",
            .. Environment.IsPrivilegedProcess ? Array.Empty<string>() : ["--user", "--preserve-credentials"],
        ];
        using Party victim = new((ChildProcess.ViaKey, enter), (ChildProcess.ParentKey, ChildProcess.NoParent));
        first.Do($"create {root.Path} x");
        victim.Do($"open {root.Path} x");
        victim.Do("produce");
        victim.Do("consume group");
        first.Do("consume group");
        victim.Do("write 1 0 20");
        victim.Do("read 1 0 10");
        string number = victim.Do("id");
        Kill(victim);

        string script = $"n={number}; i=0; while [ $i -lt 100 ]; do echo $((n - 1)) > /proc/sys/kernel/ns_last_pid || exit 9; "
            + "sleep 100 > /dev/null 2>&1 & p=$!; [ $p = $n ] && { echo taken; wait; }; kill $p; wait; i=$((i + 1)); done; echo missed";
        using Process taker = Process.Start(new ProcessStartInfo(enter[0], [.. enter[1..], "sh", "-c", script])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        try
        {
            Task<string?> saying = taker.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask();
            string? said = await saying.WaitAsync(ChildProcess.Patience);
            if (said is null)
            {
                Assert.Skip($"Process ids cannot be chosen here: {taker.StandardError.ReadLine()}"); // which would wait for a line
            }

            Assert.Equal("taken", said);
            Assert.Equal(number, first.Do("members").Split(' ').Contains(number) ? "still listed" : number);

            first.Do("read 1 9 11");
            Assert.Equal("0 1", first.Do("counts"));
            Assert.Equal("0", first.Do("produce"));
            first.Do("write 2 0 20");
            first.Do("read 2 0 20");
            Assert.False(taker.HasExited);
        }
        finally
        {
            taker.Kill(entireProcessTree: true);
            Assert.True(taker.WaitForExit(ChildProcess.Patience));
        }

        EnvironmentRows.Shown(
            61, "a dead participant's process id belongs to an unrelated process",
            "nothing: it is dead, its lane and its group are taken over");
    }

    private static void Kill(Party party)
    {
        Linux.Signal(Linux.OnlyChildOf(party.Process.Id), Linux.SIGKILL);
        Assert.NotEqual(0, party.Process.WaitForExit());
    }
}
