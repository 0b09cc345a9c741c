// A thread that waits for any of several consumers: as it would wait for one (WaitingRoom), but it prepares in all of their rooms with
// one fence, looks at all of them, and sleeps on all of their doorbells at once (futex_waitv). Allocates nothing.
//
// Every look starts at another consumer, chosen at random, so that a busy one does not starve the others.

using System.Runtime.CompilerServices;
using ShmIpc.Interop;
using ShmIpc.Waiting;

namespace ShmIpc.Channels;

internal static class AnyWait
{
    public const int MaxConsumers = 127;
    private const int None = -1;

    /// <summary>The index of one that can be read or has completed, or -1 when the time is over.</summary>
    public static int Wait(ReadOnlySpan<IShmConsumer> consumers, Deadline deadline, CancellationToken cancellation)
    {
        Check(consumers);
        if (consumers.Length > MaxConsumers)
        {
            throw new ArgumentException(
                $"A thread can wait for at most {MaxConsumers} consumers, not {consumers.Length}. WaitAnyAsync takes any number.",
                nameof(consumers));
        }

        int first = Random.Shared.Next(consumers.Length);
        int found = Readable(consumers, first);
        if (found != None)
        {
            return found;
        }

        cancellation.ThrowIfCancellationRequested();
        ref Spinner learned = ref consumers[0].Core.Spinner;
        Spinner spinner = learned;
        spinner.Begin();
        while (spinner.TrySpin())
        {
            found = spinner.IsTimeToCheck ? Look(consumers, first) : Readable(consumers, first);
            if (found != None)
            {
                spinner.Succeeded();
                learned = spinner;
                return found;
            }

            if (spinner.IsTimeToCheck && (deadline.IsOver || cancellation.IsCancellationRequested))
            {
                break;
            }
        }

        spinner.Failed();
        learned = spinner;
        return Futex.IsWaitAnySupported
            ? Park(consumers, first, deadline, cancellation)
            : AnyAwait.Wait(consumers, deadline, cancellation);
    }

    /// <summary>One look at everything that ends a wait, from <paramref name="first"/> on. -1 when there is none.</summary>
    public static int Look(ReadOnlySpan<IShmConsumer> consumers, int first)
    {
        for (int i = 0; i < consumers.Length; i++)
        {
            int index = (first + i) % consumers.Length;
            if (consumers[index].Core.TryLook(out _))
            {
                return index;
            }
        }

        return None;
    }

    public static void Check(ReadOnlySpan<IShmConsumer> consumers)
    {
        if (consumers.IsEmpty)
        {
            throw new ArgumentException("There is no consumer to wait for.", nameof(consumers));
        }

        foreach (IShmConsumer consumer in consumers)
        {
            ArgumentNullException.ThrowIfNull(consumer, nameof(consumers));
        }
    }

    private static int Readable(ReadOnlySpan<IShmConsumer> consumers, int first)
    {
        for (int i = 0; i < consumers.Length; i++)
        {
            int index = (first + i) % consumers.Length;
            if (consumers[index].Core.HasNext())
            {
                return index;
            }
        }

        return None;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    [SkipLocalsInit]
    private static int Park(ReadOnlySpan<IShmConsumer> consumers, int first, Deadline deadline, CancellationToken cancellation)
    {
        Span<FutexWord> words = stackalloc FutexWord[consumers.Length];
        int kept = 0;
        CancellationTokenRegistration ring = default;
        try
        {
            for (; kept < consumers.Length; kept++)
            {
                ((ISleeper)consumers[kept].Core).KeepAlive();
            }

            ring = Parking.RingOnCancel(consumers[0].Core, cancellation);
            while (true)
            {
                for (int i = 0; i < words.Length; i++)
                {
                    ISleeper sleeper = consumers[i].Core;
                    uint ticket = sleeper.Room.Mark(sleeper.Slot);
                    words[i] = new FutexWord(sleeper.Room.DoorbellAddress(sleeper.Slot), ticket, IsPrivate: false);
                }

                WaitingRoom.Fence();
                int found = Look(consumers, first);
                if (found != None)
                {
                    return found;
                }

                cancellation.ThrowIfCancellationRequested();
                TimeSpan left = deadline.Left;
                if (left == TimeSpan.Zero)
                {
                    return None;
                }

                Futex.WaitAny(words, left < WaitingRoom.MaxPark ? left : WaitingRoom.MaxPark);
            }
        }
        finally
        {
            ring.Dispose();
            while (kept > 0)
            {
                ((ISleeper)consumers[--kept].Core).EndKeepAlive();
            }
        }
    }
}
