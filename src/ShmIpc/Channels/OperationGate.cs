// Lets one operation at a time into a producer or consumer, and Dispose after the last. The whole cost of being thread-safe:
//
//   biased (the default, soon)   plain stores and a look at where the thread runs, for the thread that was inside some 64 times in a row
//   shared                       a CAS on an uncontended flag at entry, a store at exit: from the second thread on, for ever. The hub
//                                that looks after an await that has to wait is such a second thread
//   single                       plain stores; the caller promised one thread at a time
//
// A CAS costs more than its own few nanoseconds: it waits until every store before it has reached the cache, and the line of the
// message that was just published lies in the reader's.
//
// THE FIELDS
//   mode    Shared, Single, Biased or Revoking
//   stack   where the thread with the bias runs; in mode Single everywhere. By it a thread knows itself
//   busy    1 while somebody is inside in mode Shared: CAS to enter
//   held    1 while the thread with the bias is inside (also in mode Revoking), or somebody in mode Single: plain stores
//
// ONE AT A TIME. The thread with the bias (1) finds itself in that window, (2) stores held, (3) sees mode Biased; otherwise it takes
// held back and enters as others do. Whoever else comes (a) puts Revoking in the place of Biased, (b) makes every processor of the
// process pass a full fence, (c) sees that held is 0, or starts again, (d) stores Shared, and from then on everybody enters by CAS. If
// (3) came before (a), then (2) has reached memory with (b), and (c) sees it. If it came after, the thread does not enter. So nobody is
// inside with the bias after (d), and nobody by CAS before. A bias is given by a thread that is inside, to itself: it stores the window
// and held, then mode, and frees busy last. Whoever enters by CAS looks at mode once inside, and leaves again where it is not Shared.
// There is one bias in a gate's life: a second revoker, late at (d), stores what stands there already. Without membarrier there is
// none: what the runtime does instead is no fence on every processor.
//
// Dispose against an operation, in all modes: the operation sets busy or held and then looks at disposed; Dispose sets disposed, makes
// every processor of the process pass a full fence, and then waits until both are 0. Either the operation sees disposed, or Dispose sees
// it. models/gate.pml checks this with the store buffers of x86, but for mode Single.
//
// One comparison refuses two things: the gate remembers the generation of the process that made it (ForkMarker), and forgets it when it
// is disposed. In a forked child the process has another generation, so whatever the parent made is refused there.

using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using ShmIpc.Interop;
using ShmIpc.Memory;

namespace ShmIpc.Channels;

internal sealed class OperationGate
{
    private const int Disposed = -1;
    private const int Revoking = -1;
    private const int Shared = 0;
    private const int Biased = 1; // from here on: plain stores
    private const int Single = 2;
    private const int EntriesForBias = 64;
    private readonly string _ownerName;
    private readonly HomeProcess _home;
    private StackWindow _stack;
    private int _mode;
    private int _held;
    private int _generation;
    private int _busy;
    private int _claimThread;
    private int _lastThread;
    private int _entriesInARow;
    private bool _hadBias;

    public OperationGate(bool isSingle, string ownerName)
    {
        (_mode, _stack) = isSingle ? (Single, StackWindow.Everywhere) : (Shared, default);
        _ownerName = ownerName;
        _home = HomeProcess.Current();
        _generation = _home.Generation;
    }

    /// <summary>False in a forked child: nothing that is shared may be touched there, not even to give it back.</summary>
    public bool IsAtHome => _home.IsHere;

    /// <summary>Whoever is inside has it for itself: nobody else has come for a while, or it was promised that nobody will.</summary>
    public bool IsExclusive => Atomics.Acquire(ref _mode) >= Biased;

    /// <summary>False when it was disposed, and in a forked child.</summary>
    public bool IsUsable => Atomics.Acquire(ref _generation) == ForkMarker.Generation;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Enter()
    {
        if (!TryEnterPlain())
        {
            EnterSlow();
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
        if (!TryEnterPlain() && !(TryRevoke() && TryTakeBusy()))
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
    public void Exit()
    {
        if (_mode != Shared)
        {
            Atomics.Release(ref _held, 0);
        }
        else
        {
            Atomics.Release(ref _busy, 0);
        }
    }

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
        while ((Atomics.Acquire(ref _busy) | Atomics.Acquire(ref _held)) != 0 && !IsClaimant)
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

    /// <summary>This thread holds the open claim.</summary>
    private bool IsClaimant => _claimThread == Environment.CurrentManagedThreadId;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryEnterPlain()
    {
        if (!_stack.IsHere || _held != 0)
        {
            return false;
        }

        Atomics.Release(ref _held, 1);
        if (Atomics.Acquire(ref _mode) >= Biased)
        {
            return true;
        }

        Atomics.Release(ref _held, 0);
        return false;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void EnterSlow()
    {
        if (_mode == Single)
        {
            ThrowConcurrent();
        }

        SpinWait spin = default;
        while (!TryRevoke() || !TryEnterShared())
        {
            ThrowIfUnusable();
            if (IsClaimant)
            {
                throw new InvalidOperationException($"This thread holds an open claim or batch of the {_ownerName}. "
                    + "End it first.");
            }

            spin.SpinOnce();
        }
    }

    private bool TryEnterShared()
    {
        if (!TryTakeBusy())
        {
            return false;
        }

        int thread = Environment.CurrentManagedThreadId;
        _entriesInARow = thread == _lastThread ? _entriesInARow + 1 : 0;
        _lastThread = thread;
        if (_entriesInARow == EntriesForBias && !_hadBias && Membarrier.IsAvailable)
        {
            _hadBias = true;
            _stack = StackWindow.AroundHere();
            Atomics.Release(ref _held, 1);
            Atomics.Release(ref _mode, Biased);
            Atomics.Release(ref _busy, 0);
        }

        return true;
    }

    private bool TryTakeBusy()
    {
        if (!Atomics.CompareExchange(ref _busy, 0, 1))
        {
            return false;
        }

        if (Atomics.Acquire(ref _mode) == Shared)
        {
            return true;
        }

        Atomics.Release(ref _busy, 0); // somebody has given itself the bias just now
        return false;
    }

    /// <summary>Takes the bias from whoever has it. False while that thread is inside, and in mode Single.</summary>
    private bool TryRevoke()
    {
        int mode = Atomics.Acquire(ref _mode);
        if (mode is Shared or Single)
        {
            return mode == Shared;
        }

        if (mode == Biased)
        {
            _ = Atomics.CompareExchange(ref _mode, Biased, Revoking);
        }

        if (Atomics.Acquire(ref _held) != 0)
        {
            return false; // no fence for nothing: it stops every processor of the process
        }

        Atomics.FullFenceProcessWide();
        if (Atomics.Acquire(ref _held) != 0)
        {
            return false;
        }

        Atomics.Release(ref _mode, Shared);
        _stack = default; // only so that the thread that had the bias does not come this way any more
        return true;
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
