// Lets one operation at a time into a producer or consumer, and Dispose after the last. The whole cost of being thread-safe:
//
//   shared (default)   a CAS on an uncontended flag at entry, a store at exit
//   single             plain stores; the caller promised one thread at a time
//
// Dispose against an operation, in both modes: the operation sets busy and then looks at disposed; Dispose sets disposed, makes every
// processor of the process pass a full fence, and then waits until busy is 0. Either the operation sees disposed, or Dispose sees busy.
//
// One comparison refuses two things: the gate remembers the generation of the process that made it (ForkMarker), and forgets it when it
// is disposed. In a forked child the process has another generation, so whatever the parent made is refused there.

using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using ShmIpc.Memory;

namespace ShmIpc.Channels;

internal sealed class OperationGate
{
    private const int Disposed = -1;
    private readonly bool _isSingle;
    private readonly string _ownerName;
    private readonly HomeProcess _home;
    private int _busy;
    private int _generation;
    private int _claimThread;

    public OperationGate(bool isSingle, string ownerName)
    {
        _isSingle = isSingle;
        _ownerName = ownerName;
        _home = HomeProcess.Current();
        _generation = _home.Generation;
    }

    /// <summary>False in a forked child: nothing that is shared may be touched there, not even to give it back.</summary>
    public bool IsAtHome => _home.IsHere;

    /// <summary>False when it was disposed, and in a forked child.</summary>
    public bool IsUsable => Atomics.Acquire(ref _generation) == ForkMarker.Generation;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Enter()
    {
        if (_isSingle)
        {
            if (_busy != 0)
            {
                ThrowConcurrent();
            }

            Atomics.Release(ref _busy, 1);
        }
        else if (!Atomics.CompareExchange(ref _busy, 0, 1))
        {
            EnterContended();
        }

        if (Atomics.Acquire(ref _generation) != ForkMarker.Generation)
        {
            Exit();
            ThrowUnusable();
        }
    }

    /// <summary>Enters unless somebody else is inside.</summary>
    public bool TryEnter()
    {
        if (!Atomics.CompareExchange(ref _busy, 0, 1))
        {
            return false;
        }

        if (Atomics.Acquire(ref _generation) != ForkMarker.Generation)
        {
            Exit();
            ThrowUnusable();
        }

        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Exit() => Atomics.Release(ref _busy, 0);

    /// <summary>The operation stays inside beyond its method: a claim or batch is open, until <see cref="ExitClaim"/>.</summary>
    public void HoldForClaim() => _claimThread = Environment.CurrentManagedThreadId;

    public void ExitClaim()
    {
        _claimThread = 0;
        Exit();
    }

    /// <summary>Marks as disposed and waits for the operation inside. False when it was disposed before.</summary>
    public bool TryDispose()
    {
        if (Atomics.Exchange(ref _generation, Disposed) == Disposed)
        {
            return false;
        }

        if (!IsAtHome)
        {
            return true; // whoever was inside at the fork has stayed in the parent
        }

        Atomics.FullFenceProcessWide();
        SpinWait spin = default;
        while (Atomics.Acquire(ref _busy) != 0 && _claimThread != Environment.CurrentManagedThreadId)
        {
            spin.SpinOnce();
        }

        return true;
    }

    /// <exception cref="ObjectDisposedException">The owner was disposed.</exception>
    /// <exception cref="ShmForkedProcessException">This is a forked child.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void ThrowIfUnusable()
    {
        if (Atomics.Acquire(ref _generation) != ForkMarker.Generation)
        {
            ThrowUnusable();
        }
    }

    private void EnterContended()
    {
        SpinWait spin = default;
        while (!Atomics.CompareExchange(ref _busy, 0, 1))
        {
            ThrowIfUnusable();
            if (_claimThread == Environment.CurrentManagedThreadId)
            {
                throw new InvalidOperationException($"This thread holds an open claim or batch of the {_ownerName}. "
                    + "End it first.");
            }

            spin.SpinOnce();
        }
    }

    [DoesNotReturn]
    private void ThrowConcurrent()
    {
        ThrowIfUnusable(); // in a forked child the flag may stand as the parent's thread left it
        throw new InvalidOperationException(
            $"The {_ownerName} is in use: it has an open claim or batch, or a second thread uses it although its channel was opened for a "
            + "single one.");
    }

    [DoesNotReturn]
    private void ThrowUnusable()
    {
        if (Atomics.Acquire(ref _generation) != Disposed)
        {
            _home.ThrowForked(_ownerName);
        }

        throw new ObjectDisposedException(_ownerName);
    }
}
