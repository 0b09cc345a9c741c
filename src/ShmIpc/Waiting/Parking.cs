// A thread's sleep on its doorbell until what it waits for is there, its time is over or it is cancelled (steps 1 to 5 of
// WaitingRoom). The caller does the looking:
//
//     using Parking parking = new(sleeper, deadline, cancellation);
//     do { if (there it is) return it; } while (parking.TrySleep());

namespace ShmIpc.Waiting;

internal ref struct Parking
{
    private readonly ISleeper _sleeper;
    private readonly Deadline _deadline;
    private readonly CancellationToken _cancellation;
    private readonly CancellationTokenRegistration _ring;
    private uint _ticket;

    public Parking(ISleeper sleeper, Deadline deadline, CancellationToken cancellation)
    {
        (_sleeper, _deadline, _cancellation) = (sleeper, deadline, cancellation);
        sleeper.KeepAlive(); // longer than a cancellation can ring
        _ring = RingOnCancel(sleeper, cancellation);
        _ticket = Prepare(sleeper);
    }

    /// <summary>A cancelled token rings the sleeper's doorbell. Dispose the registration before the sleeper's memory may go.</summary>
    public static CancellationTokenRegistration RingOnCancel(ISleeper sleeper, CancellationToken cancellation) =>
        cancellation.CanBeCanceled ? cancellation.UnsafeRegister(static state => Ring((ISleeper)state!), sleeper) : default;

    /// <summary>Sleeps a while: look again. False when the time is over.</summary>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public bool TrySleep()
    {
        _cancellation.ThrowIfCancellationRequested();
        if (_deadline.IsOver)
        {
            return false;
        }

        _sleeper.Room.Sleep(_sleeper.Slot, _ticket, _deadline.Left);
        _ticket = Prepare(_sleeper);
        return true;
    }

    public readonly void Dispose()
    {
        _ring.Dispose();
        _sleeper.EndKeepAlive();
    }

    private static uint Prepare(ISleeper sleeper) =>
        sleeper.IsQuiet ? sleeper.Room.Ticket(sleeper.Slot) : sleeper.Room.Prepare(sleeper.Slot);

    private static void Ring(ISleeper sleeper) => sleeper.Room.Ring(sleeper.Slot);
}
