// Counts messages against the clock, for everything that goes one way: the rate over the whole interval, and that of short slices.

using System.Diagnostics;

namespace ShmIpc.Benchmarks.Measuring;

internal sealed class RateClock
{
    private static readonly long _slice = Measurement.ToTicks(Measurement.Slice);

    private readonly long _measure;
    private readonly double[] _rates;
    private long _start;
    private long _now;
    private long _sliceStart;
    private ulong _firstNumber;
    private ulong _sliceNumber;
    private ulong _number;
    private int _slices;

    public RateClock(TimeSpan measure)
    {
        _measure = Measurement.ToTicks(measure);
        _rates = new double[(_measure / _slice) + 1];
    }

    /// <param name="number">How many messages have come so far.</param>
    public void Start(ulong number)
    {
        _start = _now = _sliceStart = Stopwatch.GetTimestamp();
        _firstNumber = _number = _sliceNumber = number;
    }

    /// <summary>Looks at the clock. False when the time is over.</summary>
    public bool Continues(ulong number)
    {
        _number = number;
        _now = Stopwatch.GetTimestamp();
        if (_now - _sliceStart >= _slice && _slices < _rates.Length)
        {
            _rates[_slices++] = (number - _sliceNumber) / Measurement.Seconds(_now - _sliceStart);
            (_sliceStart, _sliceNumber) = (_now, number);
        }

        return _now - _start < _measure;
    }

    public Sample Result(long allocatedBytes)
    {
        Array.Sort(_rates, 0, _slices);
        long operations = (long)(_number - _firstNumber);
        return new Sample
        {
            Operations = operations,
            Seconds = Measurement.Seconds(_now - _start),
            UndisturbedPerSecond = _slices == 0 ? 0 : _rates[(int)(0.9 * (_slices - 1))],
            AllocatedBytes = allocatedBytes,
            AllocationOperations = operations,
            Preemptions = Measurement.Preemptions(),
        };
    }
}
