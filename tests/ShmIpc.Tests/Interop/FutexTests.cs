// Waits go through two mappings of one file at two addresses, as two processes have them.

using System.Diagnostics;
using ShmIpc.Interop;
using ShmIpc.Memory;
using Xunit;

namespace ShmIpc.Tests.Interop;

public sealed class FutexTests : IDisposable
{
    private static readonly TimeSpan _short = TimeSpan.FromMilliseconds(30);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly ScratchDirectory _scratch = new();
    private readonly MemoryMapping _here;
    private readonly MemoryMapping _there;

    public FutexTests()
    {
        using var file = _scratch.NewFile();
        _here = MemoryMapping.MapFile(file, 0, 4096);
        _there = MemoryMapping.MapFile(file, 0, 4096);
    }

    public void Dispose()
    {
        _here.Dispose();
        _there.Dispose();
        _scratch.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_word_that_holds_another_value_ends_the_wait_at_once(bool any)
    {
        Assert.Equal(FutexResult.Changed, WaitOn(any, expected: 1, Timeout.InfiniteTimeSpan));
        Assert.Equal(FutexResult.Changed, WaitOn(any, expected: 1, TimeSpan.Zero));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_wait_ends_when_its_time_is_over_and_not_before(bool any)
    {
        var clock = Stopwatch.StartNew();
        Assert.Equal(FutexResult.TimedOut, WaitOn(any, expected: 0, _short));
        Assert.InRange(clock.Elapsed, _short, _patience);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void No_time_and_less_than_none_do_not_wait(bool any)
    {
        Assert.Equal(FutexResult.TimedOut, WaitOn(any, expected: 0, TimeSpan.Zero));
        Assert.Equal(FutexResult.TimedOut, WaitOn(any, expected: 0, TimeSpan.FromDays(-1)));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void A_wake_through_another_mapping_reaches_the_sleeper(bool any, bool endless)
    {
        var result = FutexResult.TimedOut;
        // TimeSpan.MaxValue is longer than the kernel counts; it must not overflow into a wait of no time.
        var sleeper = new Thread(() => result = WaitOn(any, expected: 0, endless ? Timeout.InfiniteTimeSpan : TimeSpan.MaxValue))
        {
            IsBackground = true,
        };
        sleeper.Start();
        WakeOne(_there.Whole.Address(8));
        Assert.True(sleeper.Join(_patience));
        Assert.Equal(FutexResult.Woken, result);
    }

    [Fact]
    public void WaitAny_is_woken_by_the_last_of_128_words()
    {
        SkipWithoutWaitAny();
        var words = Enumerable.Range(0, 128).Select(i => new FutexWord(_here.Whole.Address(4 * i), 0, IsPrivate: false)).ToArray();
        var result = FutexResult.TimedOut;
        var sleeper = new Thread(() => result = Futex.WaitAny(words, _patience)) { IsBackground = true };
        sleeper.Start();
        WakeOne(_there.Whole.Address(4 * 127));
        Assert.True(sleeper.Join(_patience));
        Assert.Equal(FutexResult.Woken, result);
    }

    [Fact]
    public void WaitAny_refuses_no_words_and_too_many()
    {
        Assert.Throws<ArgumentException>(() => Futex.WaitAny([], TimeSpan.Zero));
        Assert.Throws<ArgumentException>(() => Futex.WaitAny(new FutexWord[129], TimeSpan.Zero));
    }

    [Fact]
    public void A_private_word_is_not_woken_as_a_shared_one()
    {
        SkipWithoutWaitAny();
        var word = new FutexWord(_here.Whole.Address(8), 0, IsPrivate: true);
        var result = FutexResult.Woken;
        var sleeper = new Thread(() => result = Futex.WaitAny([word], TimeSpan.FromMilliseconds(300))) { IsBackground = true };
        sleeper.Start();
        while (sleeper.IsAlive)
        {
            Assert.Equal(0, Futex.Wake(word.Address, int.MaxValue));
            Thread.Sleep(1);
        }

        Assert.Equal(FutexResult.TimedOut, result);
    }

    [Fact]
    public void Nobody_asleep_is_nobody_woken() => Assert.Equal(0, Futex.Wake(_here.Whole.Address(8), int.MaxValue));

    [Fact]
    public void One_wake_with_a_high_count_wakes_all()
    {
        const int Sleepers = 3;
        var woken = 0;
        var threads = Enumerable.Range(0, Sleepers)
            .Select(_ => new Thread(() => Futex.Wait(_here.Whole.Address(8), 0, _patience)) { IsBackground = true })
            .ToArray();
        foreach (var thread in threads) thread.Start();
        var clock = Stopwatch.StartNew();
        while (woken < Sleepers && clock.Elapsed < _patience)
        {
            woken += Futex.Wake(_there.Whole.Address(8), int.MaxValue);
            Thread.Sleep(1);
        }

        Assert.Equal(Sleepers, woken);
        Assert.All(threads, thread => Assert.True(thread.Join(_patience)));
    }

    [Fact]
    public void An_address_that_is_no_word_is_an_exception()
    {
        var error = Assert.Throws<ShmException>(() => Futex.Wait(_here.Whole.Address(2), 0, TimeSpan.Zero));
        Assert.Equal(Tmds.Linux.LibC.EINVAL, error.ErrorNumber);
        Assert.Throws<ShmException>(() => Futex.Wake(_here.Whole.Address(2), 1));
    }

    // A collection stops every thread; one that sleeps in the kernel counts as stopped, and must not hold it up.
    [Fact]
    public void A_sleeper_does_not_hold_up_the_garbage_collector()
    {
        var sleeper = new Thread(() => Futex.Wait(_here.Whole.Address(8), 0, _patience)) { IsBackground = true };
        sleeper.Start();
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < 5; i++) GC.Collect();
        Assert.True(clock.Elapsed < _patience / 2, $"Five collections took {clock.Elapsed}.");
        WakeOne(_there.Whole.Address(8));
        Assert.True(sleeper.Join(_patience));
    }

    private static void SkipWithoutWaitAny() =>
        Assert.SkipUnless(Futex.IsWaitAnySupported, "The kernel has no futex_waitv (Linux 5.16), or a sandbox forbids it.");

    private FutexResult WaitOn(bool any, uint expected, TimeSpan timeout)
    {
        if (!any) return Futex.Wait(_here.Whole.Address(8), expected, timeout);
        SkipWithoutWaitAny();
        return Futex.WaitAny(
            [new FutexWord(_here.Whole.Address(4), 0, false), new FutexWord(_here.Whole.Address(8), expected, false)], timeout);
    }

    private static void WakeOne(nint address)
    {
        var clock = Stopwatch.StartNew();
        while (Futex.Wake(address, 1) == 0)
        {
            Assert.True(clock.Elapsed < _patience, "Nobody fell asleep on the word.");
            Thread.Sleep(1);
        }
    }
}
