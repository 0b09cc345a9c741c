// Lets one operation at a time into a producer or consumer, and Dispose after the last. The whole cost of being thread-safe:
//
//   shared (default)   a CAS on an uncontended flag at entry, a store at exit
//   single             plain stores; the caller promised one thread at a time
//
// Dispose against an operation, in both modes: the operation sets busy and then looks at disposed; Dispose sets disposed, makes every
// processor of the process pass a full fence, and then waits until busy is 0. Either the operation sees disposed, or Dispose sees busy.

using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using ShmIpc.Memory;

namespace ShmIpc.Channels;

internal sealed class OperationGate(bool isSingle, string ownerName)
{
    private readonly bool _isSingle = isSingle;
    private readonly string _ownerName = ownerName;
    private int _busy;
    private int _disposed;
    private int _claimThread;

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

        if (Atomics.Acquire(ref _disposed) != 0)
        {
            Exit();
            ThrowDisposed();
        }
    }

    /// <summary>Enters unless somebody else is inside.</summary>
    public bool TryEnter()
    {
        if (!Atomics.CompareExchange(ref _busy, 0, 1))
        {
            return false;
        }

        if (Atomics.Acquire(ref _disposed) != 0)
        {
            Exit();
            ThrowDisposed();
        }

        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Exit() => Atomics.Release(ref _busy, 0);

    /// <summary>The operation stays inside beyond its method: a claim is open, until <see cref="ExitClaim"/>.</summary>
    public void HoldForClaim() => _claimThread = Environment.CurrentManagedThreadId;

    public void ExitClaim()
    {
        _claimThread = 0;
        Exit();
    }

    /// <summary>Marks as disposed and waits for the operation inside. False when it was disposed before.</summary>
    public bool TryDispose()
    {
        if (Atomics.Exchange(ref _disposed, 1) != 0)
        {
            return false;
        }

        Atomics.FullFenceProcessWide();
        SpinWait spin = default;
        while (Atomics.Acquire(ref _busy) != 0 && _claimThread != Environment.CurrentManagedThreadId)
        {
            spin.SpinOnce();
        }

        return true;
    }

    public void ThrowIfDisposed()
    {
        if (Atomics.Acquire(ref _disposed) != 0)
        {
            ThrowDisposed();
        }
    }

    private void EnterContended()
    {
        SpinWait spin = default;
        while (!Atomics.CompareExchange(ref _busy, 0, 1))
        {
            if (_claimThread == Environment.CurrentManagedThreadId)
            {
                throw new InvalidOperationException($"This thread holds an open claim of the {_ownerName}. Commit, abort or dispose "
                    + "it first.");
            }

            if (Atomics.Acquire(ref _disposed) != 0)
            {
                ThrowDisposed();
            }

            spin.SpinOnce();
        }
    }

    [DoesNotReturn]
    private void ThrowConcurrent() => throw new InvalidOperationException(
        $"The {_ownerName} is in use: it has an open claim, or a second thread uses it although its channel was opened for a single one.");

    [DoesNotReturn]
    private void ThrowDisposed() => throw new ObjectDisposedException(_ownerName);
}
