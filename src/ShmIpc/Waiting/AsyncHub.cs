// The threads behind every `await` of the process: a hub thread parks on the doorbells of up to 120 waiters at once (futex_waitv) and
// completes those that have something to do. The first hub starts with the first await that has to wait, more only beyond 120
// waiters; a channel has no thread of its own, and nothing is polled while all are idle but for one look in MaxPark.
// Where the kernel lacks futex_waitv (before 5.16) the hub looks every 5 ms instead.

using System.Runtime.InteropServices;
using ShmIpc.Interop;
using ShmIpc.Memory;

namespace ShmIpc.Waiting;

internal sealed class AsyncHub
{
    private const int MaxWaiters = 120;
    private static readonly TimeSpan _idle = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _fallback = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan _retry = TimeSpan.FromMilliseconds(1);
    private static readonly Lock _startup = new();
    private static readonly List<AsyncHub> _hubs = [];

    private readonly Lock _sync = new();
    private readonly List<HubWaiter> _incoming = [];
    private readonly List<HubWaiter> _waiting = [];
    private readonly PrivateWord _word = new();
    private int _count;

    /// <summary>Hands a waiter to a hub that has room. The hub polls it until it says that it is done.</summary>
    public static AsyncHub Add(HubWaiter waiter)
    {
        lock (_startup)
        {
            foreach (AsyncHub hub in _hubs)
            {
                if (Atomics.Acquire(ref hub._count) < MaxWaiters)
                {
                    hub.Take(waiter);
                    return hub;
                }
            }

            AsyncHub started = new();
            new Thread(started.Run) { IsBackground = true, Name = "ShmIpc hub" }.Start(); // first: it may fail, and then there is no hub
            _hubs.Add(started);
            started.Take(waiter);
            return started;
        }
    }

    /// <summary>Makes the hub look at all of its waiters.</summary>
    public void Wake()
    {
        Atomics.Increment(ref _word.Value);
        Futex.Wake(_word.Address, 1);
    }

    private void Take(HubWaiter waiter)
    {
        Atomics.Increment(ref _count);
        lock (_sync)
        {
            _incoming.Add(waiter);
        }

        Wake();
    }

    private void Run()
    {
        FutexWord[] words = new FutexWord[MaxWaiters + 1];
        while (true)
        {
            uint ticket = Atomics.Acquire(ref _word.Value);
            lock (_sync)
            {
                _waiting.AddRange(_incoming);
                _incoming.Clear();
            }

            bool isAnyContended = PollAll();
            words[0] = new FutexWord(_word.Address, ticket, IsPrivate: false);
            int used = Math.Min(_waiting.Count, MaxWaiters);
            for (int i = 0; i < used; i++)
            {
                words[i + 1] = new FutexWord(_waiting[i].DoorbellAddress, _waiting[i].Ticket, IsPrivate: false);
            }

            if (used == 0)
            {
                Futex.Wait(_word.Address, ticket, _idle);
            }
            else if (Futex.IsWaitAnySupported)
            {
                Futex.WaitAny(words.AsSpan(0, used + 1), isAnyContended ? _retry : WaitingRoom.MaxPark);
            }
            else
            {
                Futex.Wait(_word.Address, ticket, isAnyContended ? _retry : _fallback);
            }
        }
    }

    private bool PollAll()
    {
        bool isAnyContended = false;
        for (int i = _waiting.Count - 1; i >= 0; i--)
        {
            if (_waiting[i].Poll())
            {
                _waiting[i] = _waiting[^1];
                _waiting.RemoveAt(_waiting.Count - 1);
                Atomics.Decrement(ref _count);
            }
            else
            {
                isAnyContended |= _waiting[i].IsContended;
            }
        }

        return isAnyContended;
    }

    /// <summary>A futex word in pinned managed memory, for waking the hub itself.</summary>
    private sealed class PrivateWord
    {
        private readonly uint[] _array = GC.AllocateArray<uint>(1, pinned: true);

        public ref uint Value => ref _array[0];

        public nint Address => Marshal.UnsafeAddrOfPinnedArrayElement(_array, 0);
    }
}
