// How long to spin before a park, learned from how often spinning paid.
//
// One instance belongs to one waiting side of one participant. A spin that ends with success doubles the next budget up to Max, one
// that ends in a park halves it, down to Min, from where it grows again as soon as a short spin pays. On one processor nothing is
// ever gained by spinning, so the budget is 0.
//
// Between two looks at the shared line the spinner pauses. A reader that has just caught up with its producer pauses longer at first:
// polling the line that the producer is filling takes it away from the producer for every store (measured: several times the
// throughput at 56 to 248 bytes). One that has waited for a while polls tightly, for latency.

using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace ShmIpc.Waiting;

internal struct Spinner
{
    private const int CatchUpLooks = 2;
    private const int CatchUpPauses = 100;
    private static readonly long _maxTicks = Environment.ProcessorCount > 1 ? Stopwatch.Frequency / 1_000_000 * 50 : 0;
    private static readonly long _minTicks = _maxTicks / 32;

    private readonly WaitStrategy _strategy;
    private long _budgetTicks;
    private long _startTicks;
    private int _looks;

    public Spinner(WaitStrategy strategy)
    {
        _strategy = strategy;
        _budgetTicks = _maxTicks;
    }

    /// <summary>True now and then: look at the things that a tight spin leaves out (time, cancellation, completion, deletion).</summary>
    public readonly bool IsTimeToCheck => (_looks & 255) == 0;

    /// <summary>A wait begins. <paramref name="hasCaughtUp"/>: the other side was found busy just now.</summary>
    public void Begin(bool hasCaughtUp)
    {
        _looks = hasCaughtUp ? 0 : CatchUpLooks;
        _startTicks = 0;
    }

    /// <summary>Pauses and says true, or says false: time to park.</summary>
    public bool TrySpin()
    {
        if (_strategy == WaitStrategy.Park)
        {
            return false;
        }

        if (_looks < CatchUpLooks)
        {
            _looks++;
            Thread.SpinWait(CatchUpPauses);
            return true;
        }

        _looks++;
        if (_strategy == WaitStrategy.BusySpin || (_looks & 15) != 0)
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
