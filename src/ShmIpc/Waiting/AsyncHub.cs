// The threads behind every `await` of the process: a hub thread parks on one doorbell of each of up to 120 attachments at once
// (futex_waitv), however many awaits they have pending, and looks at those attachments whose doorbell rang. The first hub starts with
// the first await that has to wait, more only beyond 120 attachments; a channel has no thread of its own. While all are idle the hub
// looks at them once in MaxPark, as every sleeper does.
//
// Where futex_waitv is missing (before Linux 5.16, or in a sandbox) a hub serves one attachment and sleeps on its doorbell alone: a thread
// for each channel on which somebody awaits at the moment, and still no polling.

using System.Diagnostics;
using System.Runtime.InteropServices;
using ShmIpc.Interop;
using ShmIpc.Memory;

namespace ShmIpc.Waiting;

internal sealed class AsyncHub
{
    private static readonly int _maxAttachments = Futex.IsWaitAnySupported ? 120 : 1;
    private static readonly TimeSpan _idle = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _retry = TimeSpan.FromMilliseconds(1);
    private static readonly Lock _startup = new();
    private static readonly List<AsyncHub> _hubs = [];
    private static int _generation;

    private readonly Lock _sync = new();
    private readonly List<PendingAwaits> _incoming = [];
    private readonly List<PendingAwaits> _attached = [];
    private readonly FutexWord[] _words = new FutexWord[_maxAttachments + 1];
    private readonly PrivateWord _word = new();
    private long _lookedAtAll;
    private int _count;

    /// <summary>Hands an attachment to a hub that has room. The hub polls it until it says that nothing is pending.</summary>
    public static void Attach(PendingAwaits awaits)
    {
        lock (_startup)
        {
            if (_generation != ForkMarker.Join())
            {
                _generation = ForkMarker.Generation;
                _hubs.Clear(); // their threads stayed in the process that this one was forked from
            }

            foreach (AsyncHub hub in _hubs)
            {
                if (Atomics.Acquire(ref hub._count) < _maxAttachments)
                {
                    hub.Take(awaits);
                    return;
                }
            }

            AsyncHub started = new();
            BackgroundThread.Start(started.Run, "ShmIpc hub"); // first: it may fail, and then there is no hub
            _hubs.Add(started);
            started.Take(awaits);
        }
    }

    private void Take(PendingAwaits awaits)
    {
        Atomics.Increment(ref _count);
        lock (_sync)
        {
            _incoming.Add(awaits);
        }

        Atomics.Increment(ref _word.Value);
        Futex.Wake(_word.Address, 1);
    }

    private void Run()
    {
        do
        {
            uint ticket = Atomics.Acquire(ref _word.Value);
            lock (_sync)
            {
                _attached.AddRange(_incoming);
                _incoming.Clear();
            }

            TimeSpan atMost = PollDue();
            if (_attached.Count == 0)
            {
                Futex.Wait(_word.Address, ticket, _idle);
            }
            else
            {
                Sleep(ticket, atMost);
            }
        }
        while (_attached.Count > 0 || !TryEnd());
    }

    /// <summary>Polls the attachments that rang, and all when that is due. Returns how long the hub may sleep.</summary>
    private TimeSpan PollDue()
    {
        long now = Stopwatch.GetTimestamp();
        bool isAllDue = Stopwatch.GetElapsedTime(_lookedAtAll, now) >= WaitingRoom.MaxPark;
        if (isAllDue)
        {
            _lookedAtAll = now;
        }

        bool isAnyContended = false;
        for (int i = _attached.Count - 1; i >= 0; i--)
        {
            PendingAwaits awaits = _attached[i];
            if ((isAllDue || awaits.IsDue) && !awaits.Poll())
            {
                _attached[i] = _attached[^1];
                _attached.RemoveAt(_attached.Count - 1);
                Atomics.Decrement(ref _count);
            }
            else
            {
                isAnyContended |= awaits.IsContended;
            }
        }

        return isAnyContended ? _retry : WaitingRoom.MaxPark - Stopwatch.GetElapsedTime(_lookedAtAll, now);
    }

    private void Sleep(uint ticket, TimeSpan atMost)
    {
        int used = 0;
        foreach (PendingAwaits awaits in _attached)
        {
            _words[used++] = new FutexWord(awaits.DoorbellAddress, awaits.Ticket, IsPrivate: false);
        }

        if (Futex.IsWaitAnySupported)
        {
            _words[used++] = new FutexWord(_word.Address, ticket, IsPrivate: false);
            Futex.WaitAny(_words.AsSpan(0, used), atMost);
        }
        else
        {
            Futex.Wait(_words[0].Address, _words[0].Expected, atMost); // full: nobody hands it another attachment
        }
    }

    /// <summary>Nothing to do for a long time: the thread ends.</summary>
    private bool TryEnd()
    {
        lock (_startup)
        {
            return Atomics.Acquire(ref _count) == 0 && _hubs.Remove(this);
        }
    }

    /// <summary>A futex word in pinned managed memory, for waking the hub itself.</summary>
    private sealed class PrivateWord
    {
        private readonly uint[] _array = GC.AllocateArray<uint>(1, pinned: true);

        public ref uint Value => ref _array[0];

        public nint Address => Marshal.UnsafeAddrOfPinnedArrayElement(_array, 0);
    }
}
