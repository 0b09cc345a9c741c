// The gate lets one thread in at a time, whichever of them has the bias, while it is given, taken away and disposed.

using ShmIpc.Channels;
using Xunit;

namespace ShmIpc.Tests.Channels;

public sealed class OperationGateTests
{
    private const int EntriesForBias = 64;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    [Fact]
    public void The_only_thread_gets_the_bias_and_keeps_it()
    {
        OperationGate gate = new(isSingle: false, "gate");
        Enter(gate, EntriesForBias);
        Assert.False(gate.IsExclusive);
        Enter(gate, 1);
        Assert.True(gate.IsExclusive);
        Enter(gate, 1000);
        Assert.True(gate.IsExclusive);
    }

    [Fact]
    public void Threads_that_take_turns_get_none()
    {
        OperationGate gate = new(isSingle: false, "gate");
        for (int i = 0; i < 2 * EntriesForBias; i++)
        {
            Enter(gate, 1);
            OnAnotherThread(() => Enter(gate, 1));
        }

        Assert.False(gate.IsExclusive);
    }

    [Fact]
    public void A_second_thread_takes_the_bias_away_for_ever()
    {
        OperationGate gate = new(isSingle: false, "gate");
        Enter(gate, 2 * EntriesForBias);
        Assert.True(gate.IsExclusive);
        OnAnotherThread(() => Enter(gate, 1));
        Assert.False(gate.IsExclusive);
        Enter(gate, 10 * EntriesForBias);
        Assert.False(gate.IsExclusive);
    }

    [Fact]
    public void A_second_thread_that_only_tries_waits_for_nobody()
    {
        OperationGate gate = new(isSingle: false, "gate");
        Enter(gate, 2 * EntriesForBias);
        gate.Enter();
        OnAnotherThread(() => Assert.False(gate.TryEnter()));
        gate.Exit();
        OnAnotherThread(() =>
        {
            Assert.True(gate.TryEnter());
            gate.Exit();
        });
        Enter(gate, 1);
    }

    [Fact]
    public void The_thread_of_an_open_claim_is_told_so_with_the_bias_too()
    {
        OperationGate gate = new(isSingle: false, "producer");
        Enter(gate, 2 * EntriesForBias);
        gate.Enter();
        gate.HoldForClaim();
        Assert.Contains("open claim", Assert.Throws<InvalidOperationException>(gate.Enter).Message, StringComparison.Ordinal);
        gate.ExitClaim();
        Enter(gate, 1);
    }

    [Fact]
    public void The_thread_of_an_open_claim_disposes_and_another_waits_with_the_bias_too()
    {
        OperationGate gate = new(isSingle: false, "producer");
        Enter(gate, 2 * EntriesForBias);
        gate.Enter();
        gate.HoldForClaim();
        Assert.True(gate.TryDispose()); // does not wait for itself
        Assert.Throws<ObjectDisposedException>(gate.Enter);
        gate.ExitClaim();
    }

    [Fact]
    public void A_single_gate_is_exclusive_from_the_start_and_says_when_it_is_shared()
    {
        OperationGate gate = new(isSingle: true, "producer");
        Assert.True(gate.IsExclusive);
        OnAnotherThread(() => Enter(gate, 3)); // in turn is allowed
        gate.Enter();
        OnAnotherThread(() => Assert.Throws<InvalidOperationException>(gate.Enter));
        OnAnotherThread(() => Assert.False(gate.TryEnter()));
        gate.Exit();
        Enter(gate, 1);
    }

    [Fact]
    public void The_bias_of_a_thread_that_has_ended_is_in_nobodys_way()
    {
        for (int round = 0; round < 20; round++)
        {
            OperationGate gate = new(isSingle: false, "gate");
            OnAnotherThread(() => Enter(gate, 2 * EntriesForBias));
            Assert.True(gate.IsExclusive);
            OnAnotherThread(() => Enter(gate, 1)); // perhaps on the same stack, perhaps not
            Enter(gate, 1);
            Assert.False(gate.IsExclusive);
        }
    }

    /// <summary>A hub's thread tries while another gives itself the bias: at every instant of it, over many rounds.</summary>
    [Fact]
    public void One_is_inside_at_a_time_when_one_only_tries()
    {
        for (int round = 0; round < 2000; round++)
        {
            OperationGate gate = new(isSingle: false, "gate");
            int inside = 0, most = 0, entered = 0;
            using Barrier start = new(2);
            Thread hub = new(() =>
            {
                Assert.True(start.SignalAndWait(_patience));
                for (int i = 0; i < 100; i++)
                {
                    if (gate.TryEnter())
                    {
                        Look();
                        entered++;
                        gate.Exit();
                    }
                }
            });
            hub.Start();
            Assert.True(start.SignalAndWait(_patience));
            for (int i = 0; i < 4 * EntriesForBias; i++)
            {
                gate.Enter();
                Look();
                gate.Exit();
            }

            Assert.True(hub.Join(_patience));
            Assert.Equal(1, most);
            Enter(gate, 1);
            Assert.True(gate.TryDispose()); // nothing was left inside

            void Look()
            {
                most = Math.Max(most, Interlocked.Increment(ref inside));
                Interlocked.Decrement(ref inside);
            }
        }
    }

    [Theory]
    [InlineData(0)]   // everybody at once
    [InlineData(200)] // one has the bias when the others come
    public void One_is_inside_at_a_time(int aheadEntries)
    {
        const int Gates = 300, Threads = 3, Entries = 300;
        using Barrier start = new(Threads);
        for (int round = 0; round < Gates; round++)
        {
            OperationGate gate = new(isSingle: false, "gate");
            int count = 0; // no atomic operation: the gate is what makes it right
            Thread[] threads = [.. Enumerable.Range(0, Threads).Select(number => new Thread(() =>
            {
                Increment(number == 0 ? aheadEntries : 0);
                Assert.True(start.SignalAndWait(_patience));
                Increment(Entries);
            }))];
            Array.ForEach(threads, thread => thread.Start());
            Assert.All(threads, thread => Assert.True(thread.Join(_patience)));
            Assert.Equal((Threads * Entries) + aheadEntries, count);

            void Increment(int times)
            {
                for (int i = 0; i < times; i++)
                {
                    gate.Enter();
                    count++;
                    gate.Exit();
                }
            }
        }
    }

    [Fact]
    public void Nobody_is_inside_what_was_disposed()
    {
        for (int round = 0; round < 300; round++)
        {
            OperationGate gate = new(isSingle: false, "gate");
            bool isGone = false, wasInside = false;
            using ManualResetEventSlim isRunning = new();
            Thread user = new(() =>
            {
                try
                {
                    for (int i = 0; ; i++)
                    {
                        gate.Enter();
                        wasInside |= Volatile.Read(ref isGone);
                        gate.Exit();
                        if (i == 2 * EntriesForBias)
                        {
                            isRunning.Set();
                        }
                    }
                }
                catch (ObjectDisposedException)
                {
                }
            });
            user.Start();
            Assert.True(isRunning.Wait(_patience));
            Assert.True(gate.TryDispose());
            Volatile.Write(ref isGone, true);
            Assert.True(user.Join(_patience));
            Assert.False(wasInside);
        }
    }

    private static void Enter(OperationGate gate, int times)
    {
        for (int i = 0; i < times; i++)
        {
            gate.Enter();
            gate.Exit();
        }
    }

    private static void OnAnotherThread(Action action)
    {
        Exception? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                action();
            }
            catch (Exception error)
            {
                failure = error;
            }
        });
        thread.Start();
        Assert.True(thread.Join(_patience));
        Assert.Null(failure);
    }
}
