// How a producer waits for room: spinning, parked, or awaiting.

using System.Runtime.CompilerServices;
using ShmIpc.Memory;
using ShmIpc.Waiting;

namespace ShmIpc.Channels;

internal sealed partial class ChannelProducer
{
    private const int RoomPauses = 100; // a full lane: let the readers get on

    /// <summary>Waits until there is room for a payload, or for several records that take as much together. False when the time is
    /// over.</summary>
    /// <param name="payloadBytes">How much room.</param>
    /// <param name="deadline">How long.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <param name="isInside">The caller is inside the gate: it has a batch open.</param>
    public bool WaitForRoom(long payloadBytes, Deadline deadline, CancellationToken cancellation, bool isInside = false)
    {
        Spinner spinner = _spinner;
        spinner.Begin(RoomPauses);
        do
        {
            if (HasRoom(payloadBytes, isInside))
            {
                spinner.Succeeded();
                _spinner = spinner;
                return true;
            }
        }
        while (spinner.TrySpin() && !(spinner.IsTimeToCheck && (deadline.IsOver || cancellation.IsCancellationRequested)));

        spinner.Failed();
        _spinner = spinner;
        return Park(payloadBytes, isInside, deadline, cancellation);
    }

    /// <summary>As <see cref="WaitForRoom"/>, or says why there is none.</summary>
    public void WaitForRoomOrThrow(long payloadBytes, Deadline deadline, CancellationToken cancellation, bool isInside = false)
    {
        if (!WaitForRoom(payloadBytes, deadline, cancellation, isInside))
        {
            throw new TimeoutException(
                $"No room for {payloadBytes} bytes within {deadline.Asked}: a consumer holds the lane's oldest messages.");
        }
    }

    /// <summary>Outside the gate: completes with true when a message can be written (or dropped), with false when this producer has
    /// completed.</summary>
    public ValueTask<bool> WaitToWriteAsync(long payloadBytes, CancellationToken cancellation)
    {
        if (!Drops || cancellation.IsCancellationRequested)
        {
            return WaitForRoomAsync(payloadBytes, cancellation);
        }

        Gate.ThrowIfUnusable();
        return new ValueTask<bool>(!IsCompleted);
    }

    /// <summary>Outside the gate: completes with true when a payload can be written, with false when this producer has completed.</summary>
    public ValueTask<bool> WaitForRoomAsync(long payloadBytes, CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<bool>(cancellation);
        }

        Gate.Enter();
        try
        {
            if (_isCompleted || TryMakeRoom(payloadBytes))
            {
                return new ValueTask<bool>(!_isCompleted);
            }
        }
        finally
        {
            Gate.Exit();
        }

        RoomWaiter waiter = Atomics.Exchange(ref _idleWaiter, null) ?? new RoomWaiter(this);
        return waiter.Start(payloadBytes, cancellation);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool Park(long payloadBytes, bool isInside, Deadline deadline, CancellationToken cancellation)
    {
        using Parking parking = new(this, deadline, cancellation);
        do
        {
            if (HasRoom(payloadBytes, isInside))
            {
                return true;
            }
        }
        while (parking.TrySleep());
        return false;
    }

    private bool HasRoom(long payloadBytes, bool isInside)
    {
        Thread.SpinWait(1); // the line with the cursors is the readers' to write
        if (isInside)
        {
            Gate.ThrowIfUnusable();
            return TryMakeRoom(payloadBytes);
        }

        Gate.Enter();
        try
        {
            ThrowIfCompleted();
            return TryMakeRoom(payloadBytes);
        }
        finally
        {
            Gate.Exit();
        }
    }

    /// <summary>A pending await for room.</summary>
    private sealed class RoomWaiter(ChannelProducer owner) : HubWaiter(owner)
    {
        private readonly ChannelProducer _owner = owner;
        private long _payloadBytes;

        public ValueTask<bool> Start(long payloadBytes, CancellationToken cancellation)
        {
            _payloadBytes = payloadBytes;
            return Start(cancellation);
        }

        protected override bool TryFinish(out bool result)
        {
            result = false;
            if (_owner.IsCompleted)
            {
                return true;
            }

            if (!_owner.Gate.TryEnter())
            {
                IsContended = true; // somebody writes
                return false;
            }

            try
            {
                return result = _owner.TryMakeRoom(_payloadBytes);
            }
            finally
            {
                _owner.Gate.Exit();
            }
        }

        protected override void Return() => Atomics.Release(ref _owner._idleWaiter, this);
    }
}
