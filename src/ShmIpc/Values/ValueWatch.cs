// Waiting for the value to change: what one SharedValue<T> needs for it. Its participant's slot, and with it a doorbell, is taken when
// somebody first waits, so that those who only read take no place.
//
// The word that is waited for is the cell's version; writers store it and then look for sleepers (WaitingRoom.cs has the argument).

using System.Runtime.CompilerServices;
using ShmIpc.Memory;
using ShmIpc.Regions;
using ShmIpc.Waiting;

namespace ShmIpc.Values;

internal sealed class ValueWatch(ValueRegion region)
{
    private readonly ValueRegion _region = region;
    private readonly Lock _joining = new();
    private Stamp _stamp;
    private bool _isClosed;
    private Spinner _spinner = new(region.Options.WaitStrategy);
    private ChangeWaiter? _idleWaiter;

    /// <exception cref="ObjectDisposedException">It was closed.</exception>
    public void ThrowIfClosed() => ObjectDisposedException.ThrowIf(Atomics.Acquire(ref _isClosed), typeof(SharedValue));

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
            spinner.Begin(hasCaughtUp: false);
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
                _region.Readers.Ring(_stamp.Slot);
                _region.Participants.Leave(_stamp);
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool Park(long sinceVersion, Deadline deadline, CancellationToken cancellation)
    {
        int slot = Slot();
        using CancellationTokenRegistration ring = cancellation.CanBeCanceled
            ? cancellation.UnsafeRegister(static state => ((ValueWatch)state!).RingSelf(), this)
            : default;
        while (true)
        {
            uint ticket = _region.Readers.Prepare(slot);
            if (HasChanged(sinceVersion))
            {
                return true;
            }

            cancellation.ThrowIfCancellationRequested();
            if (deadline.IsOver)
            {
                return false;
            }

            _region.Readers.Sleep(slot, ticket, deadline.Left);
        }
    }

    /// <summary>One look at everything that ends a wait.</summary>
    private bool HasChanged(long sinceVersion)
    {
        ThrowIfClosed();
        _region.ThrowIfDeleted();
        return _region.Cell.Version != sinceVersion;
    }

    private int Slot()
    {
        lock (_joining)
        {
            ThrowIfClosed();
            if (_stamp == Stamp.None)
            {
                _stamp = _region.Participants.Join(ParticipantRole.Consumer);
            }

            return _stamp.Slot;
        }
    }

    private void RingSelf() => _region.Readers.Ring(_stamp.Slot);

    /// <summary>A pending await for a change.</summary>
    private sealed class ChangeWaiter(ValueWatch owner) : HubWaiter
    {
        private readonly ValueWatch _owner = owner;
        private long _sinceVersion;
        private int _slot;

        protected override WaitingRoom Room => _owner._region.Readers;

        protected override int Slot => _slot;

        public ValueTask<bool> Start(long sinceVersion, CancellationToken cancellation)
        {
            _sinceVersion = sinceVersion;
            _slot = _owner.Slot();
            return Start(cancellation);
        }

        protected override bool TryFinish(out bool result) => result = _owner.HasChanged(_sinceVersion);

        protected override void KeepAlive() => _owner._region.AddReference();

        protected override void EndKeepAlive() => _owner._region.ReleaseReference();

        protected override void Return() => Atomics.Release(ref _owner._idleWaiter, this);
    }
}
