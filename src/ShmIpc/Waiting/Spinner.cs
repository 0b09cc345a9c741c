// How long to spin before a park, learned from how often spinning paid.
//
// One instance belongs to one waiting side of one participant. A spin that ends with success doubles the next budget up to Max, one
// that ends in a park halves it, down to Min, from where it grows again as soon as a short spin pays. On one processor nothing is
// ever gained by spinning, so the budget is 0.

using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace ShmIpc.Waiting;

internal struct Spinner
{
    private static readonly long _maxTicks = Environment.ProcessorCount > 1 ? Stopwatch.Frequency / 1_000_000 * 50 : 0;
    private static readonly long _minTicks = _maxTicks / 32;

    private readonly WaitStrategy _strategy;
    private long _budgetTicks;
    private long _startTicks;
    private int _looks;
    private int _pauses;

    public Spinner(WaitStrategy strategy)
    {
        _strategy = strategy;
        _budgetTicks = _maxTicks;
    }

    /// <summary>True now and then: look at the things that a tight spin leaves out (time, cancellation, completion, deletion).</summary>
    public readonly bool IsTimeToCheck => (_looks & 255) == 0;

    /// <summary>True as long as spinning pays, or is asked for.</summary>
    public readonly bool IsWorthwhile => _strategy switch
    {
        WaitStrategy.Park => false,
        WaitStrategy.BusySpin => true,
        _ => _budgetTicks > _minTicks,
    };

    /// <summary>A wait begins.</summary>
    /// <param name="pauses">How often to pause before the first look.</param>
    public void Begin(int pauses = 0)
    {
        (_looks, _pauses) = (0, pauses);
        _startTicks = 0;
    }

    /// <summary>Pauses and says true, or says false: time to park.</summary>
    public bool TrySpin()
    {
        if (_strategy == WaitStrategy.Park || (_strategy == WaitStrategy.Adaptive && _maxTicks == 0))
        {
            return false;
        }

        _looks++;
        if (_pauses > 0)
        {
            Thread.SpinWait(_pauses);
            _pauses = 0;
            return true;
        }

        if (_strategy == WaitStrategy.BusySpin || (_looks & 3) != 0)
        {
            Pause();
            return true;
        }

        long now = Stopwatch.GetTimestamp();
        if (_startTicks == 0)
        {
            _startTicks = now;
        }

        return now - _startTicks < _budgetTicks;
    }

    /// <summary>Lets the processor know that this is a spin: some ten nanoseconds, where <see cref="Thread.SpinWait"/> takes some
    /// forty.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Pause()
    {
        if (X86Base.IsSupported)
        {
            X86Base.Pause();
        }
        else
        {
            Thread.SpinWait(1);
        }
    }

    /// <summary>What was waited for came while spinning.</summary>
    public void Succeeded() => _budgetTicks = Math.Min(_maxTicks, Math.Max(_budgetTicks * 2, _minTicks));

    /// <summary>The spinning was in vain.</summary>
    public void Failed() => _budgetTicks = Math.Max(_minTicks, _budgetTicks / 2);
}
