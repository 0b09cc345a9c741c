// Waiting for the value to change: what one SharedValue<T> needs for it. Its participant's slot, and with it a doorbell, is taken when
// somebody first waits, so that those who only read take no place.
//
// The word that is waited for is the cell's version; writers store it and then look for sleepers (WaitingRoom.cs has the argument).

using System.Runtime.CompilerServices;
using ShmIpc.Memory;
using ShmIpc.Regions;
using ShmIpc.Waiting;

namespace ShmIpc.Values;

internal sealed class ValueWatch(ValueRegion region) : ISleeper
{
    private readonly ValueRegion _region = region;
    private readonly Lock _joining = new();
    private Stamp _stamp;
    private bool _isClosed;
    private Spinner _spinner = new(region.Options.WaitStrategy);
    private ChangeWaiter? _idleWaiter;

    WaitingRoom ISleeper.Room => _region.Readers;

    int ISleeper.Slot => _stamp.Slot;

    /// <exception cref="ObjectDisposedException">It was closed.</exception>
    public void ThrowIfClosed()
    {
        ObjectDisposedException.ThrowIf(Atomics.Acquire(ref _isClosed), typeof(SharedValue));
        _region.ThrowIfForked();
    }

    /// <summary>Waits until the version is another one. False when the time is over.</summary>
    public bool Wait(long sinceVersion, Deadline deadline, CancellationToken cancellation)
    {
        _region.AddReference(); // the doorbell stays mapped, whoever disposes what, and longer than a cancellation can ring it
        try
        {
            if (HasChanged(sinceVersion))
            {
                return true;
            }

            cancellation.ThrowIfCancellationRequested();
            Spinner spinner = _spinner;
            spinner.Begin();
            while (spinner.TrySpin())
            {
                if (_region.Cell.Version != sinceVersion)
                {
                    spinner.Succeeded();
                    _spinner = spinner;
                    return true;
                }

                if (spinner.IsTimeToCheck)
                {
                    _ = HasChanged(sinceVersion);
                    if (deadline.IsOver || cancellation.IsCancellationRequested)
                    {
                        break;
                    }
                }
            }

            spinner.Failed();
            _spinner = spinner;
            cancellation.ThrowIfCancellationRequested();
            return deadline.IsOver ? HasChanged(sinceVersion) : Park(sinceVersion, deadline, cancellation);
        }
        finally
        {
            _region.ReleaseReference();
        }
    }

    /// <summary>Completes when the version is another one.</summary>
    public ValueTask<bool> WaitAsync(long sinceVersion, CancellationToken cancellation)
    {
        ChangeWaiter waiter = Atomics.Exchange(ref _idleWaiter, null) ?? new ChangeWaiter(this);
        return waiter.Start(sinceVersion, cancellation);
    }

    /// <summary>Ends every wait, and gives the slot back. The region must still be attached.</summary>
    public void Close()
    {
        lock (_joining)
        {
            Atomics.Release(ref _isClosed, true);
            if (_stamp != Stamp.None)
            {
                _region.Readers.End(_stamp.Slot); // whoever of ours still waits finds it closed
                _region.Participants.Leave(_stamp);
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool Park(long sinceVersion, Deadline deadline, CancellationToken cancellation)
    {
        TakeSlot();
        using Parking parking = new(this, deadline, cancellation);
        do
        {
            if (HasChanged(sinceVersion))
            {
                return true;
            }
        }
        while (parking.TrySleep());
        return false;
    }

    /// <summary>One look at everything that ends a wait.</summary>
    private bool HasChanged(long sinceVersion)
    {
        ThrowIfClosed();
        _region.ThrowIfDeleted();
        return _region.Cell.Version != sinceVersion;
    }

    private void TakeSlot()
    {
        lock (_joining)
        {
            ThrowIfClosed();
            if (_stamp == Stamp.None)
            {
                _stamp = _region.Participants.Join(ParticipantRole.Consumer);
            }

        }
    }

    void ISleeper.KeepAlive() => _region.AddReference();

    void ISleeper.EndKeepAlive() => _region.ReleaseReference();

    /// <summary>A pending await for a change.</summary>
    private sealed class ChangeWaiter(ValueWatch owner) : HubWaiter(owner)
    {
        private readonly ValueWatch _owner = owner;
        private long _sinceVersion;

        public ValueTask<bool> Start(long sinceVersion, CancellationToken cancellation)
        {
            _sinceVersion = sinceVersion;
            _owner.TakeSlot();
            return Start(cancellation);
        }

        protected override bool TryFinish(out bool result) => result = _owner.HasChanged(_sinceVersion);

        protected override void Return() => Atomics.Release(ref _owner._idleWaiter, this);
    }
}
