// What makes one producer's lane durable: who flushes what, and when.
//
//   data      [durable, published) and the terminator behind it: by whoever waits for it (Sync, Flush) or by the flusher (Async). One at
//             a time, and each takes along what was published by then: writers that waited meanwhile find their message durable (group
//             commit). What follows about the order on the disk stands at the top of Rings/LaneWriter.Durable.cs.
//   floor     the lane's control block, each time before the floor takes effect, inside the producer's gate
//   all of it when a producer takes the lane: its predecessor may have died before its last records were durable
//
// With Flush = None nothing of this happens, until somebody calls Flush for the first time: from then on, and for every later producer
// of the lane (a word in its control block says so), floors are durable before they take effect; else Flush would promise nothing.
//
// A refusal of the disk is final: the kernel has forgotten which pages it could not write, so a second attempt would succeed without
// having written them. It is remembered here, and every later write and flush of this producer is refused with it.

using ShmIpc.Memory;
using ShmIpc.Rings;

namespace ShmIpc.Channels;

internal sealed class LaneJournal(ChannelRegion channel, int lane, MemoryMapping data) : ILaneJournal
{
    private readonly ChannelRegion _channel = channel;
    private readonly int _lane = lane;
    private readonly MemoryMapping _data = data;
    private readonly ShmFlushMode _mode = channel.Persistence.Flush;
    private readonly Lock _flushing = new();
    private LaneWriter _writer = null!;
    private Exception? _failure;
    private ulong _durable;
    private long _nextMs;
    private bool _isEnded;

    private bool IsOn => _mode != ShmFlushMode.None || Atomics.Acquire(ref _channel.Lane(_lane).Journaled) != 0;

    /// <summary>The lane has its producer, and is announced; nothing was written yet.</summary>
    public void Begin(LaneWriter writer)
    {
        _writer = writer;
        if (IsOn)
        {
            lock (_flushing)
            {
                FlushAll();
            }
        }

        if (_mode == ShmFlushMode.Async)
        {
            _nextMs = Environment.TickCount64 + _channel.Persistence.FlushPeriodMs;
            BackgroundFlusher.Add(this);
        }
    }

    public void FloorStored()
    {
        if (!IsOn)
        {
            return;
        }

        ThrowIfFailed();
        try
        {
            _channel.FlushLaneControl(_lane);
        }
        catch (Exception error) when (Keep(error))
        {
            throw;
        }
    }

    public void TailCleared()
    {
        if (IsOn)
        {
            lock (_flushing)
            {
                FlushAll();
            }
        }
    }

    /// <summary>After a message was published, outside the gate: waits until it is as durable as the channel's mode promises.</summary>
    public void Settle()
    {
        ThrowIfFailed();
        if (_mode == ShmFlushMode.Sync)
        {
            FlushTo(_writer.Published);
        }
    }

    /// <summary><see cref="Settle"/> without holding the caller's thread.</summary>
    public ValueTask SettleAsync()
    {
        ThrowIfFailed();
        return _mode == ShmFlushMode.Sync && Atomics.Acquire(ref _durable) < (ulong)_writer.Published
            ? new ValueTask(Task.Run(Settle))
            : ValueTask.CompletedTask;
    }

    /// <summary>Returns when everything published so far is durable.</summary>
    public void Flush()
    {
        lock (_flushing)
        {
            if (_isEnded)
            {
                ThrowIfFailed();
                return; // everything was made durable when the producer left
            }

            if (!IsOn)
            {
                // Either a floor that takes effect from here on sees the word, or it was stored before, and is flushed here.
                Atomics.Release(ref _channel.Lane(_lane).Journaled, 1);
                Atomics.FullFence();
                FlushAll();
            }

            FlushTo(_writer.Published);
        }
    }

    /// <summary>For the flusher: flushes if it is time. Keeps what goes wrong for the next writer.</summary>
    /// <returns>Milliseconds until it is time again.</returns>
    public long FlushIfDue(long nowMs)
    {
        if (nowMs >= _nextMs)
        {
            _nextMs = nowMs + _channel.Persistence.FlushPeriodMs;
            try
            {
                FlushTo(_writer.Published);
            }
            catch (Exception) when (_failure is not null)
            {
                // The next write throws it.
            }
        }

        return _nextMs - nowMs;
    }

    /// <summary>The producer leaves: makes everything durable, and lets go of the memory, whatever the disk says.</summary>
    public void End()
    {
        BackgroundFlusher.Remove(this);
        lock (_flushing)
        {
            try
            {
                if (IsOn && _writer is not null)
                {
                    FlushAll();
                }
            }
            finally
            {
                _isEnded = true;
                Atomics.Release(ref _durable, ulong.MaxValue); // who still waits was served, or finds the failure
            }
        }
    }

    private void FlushTo(long published)
    {
        if (Atomics.Acquire(ref _durable) >= (ulong)published)
        {
            ThrowIfFailed();
            return;
        }

        lock (_flushing)
        {
            ThrowIfFailed();
            if (_durable >= (ulong)published)
            {
                return;
            }

            long start = (long)_durable;
            long end = _writer.Published;
            try
            {
                FlushData(start, end);
            }
            catch (Exception error) when (Keep(error))
            {
                throw;
            }

            Atomics.Release(ref _durable, (ulong)end);
        }
    }

    private void FlushAll()
    {
        ThrowIfFailed();
        long end = _writer.Published;
        try
        {
            _channel.FlushLane(_lane, _data, 0, _data.LengthBytes);
            _channel.FlushLaneControl(_lane);
            _channel.SyncName();
        }
        catch (Exception error) when (Keep(error))
        {
            throw;
        }

        Atomics.Release(ref _durable, (ulong)end);
    }

    private void FlushData(long start, long end)
    {
        long lengthBytes = end + RecordHeader.Bytes - start;
        bool isWhole = lengthBytes >= _data.LengthBytes;
        _channel.FlushLane(_lane, _data, isWhole ? 0 : start & (_data.LengthBytes - 1), isWhole ? _data.LengthBytes : lengthBytes);
    }

    /// <summary>Remembers what went wrong, on its way to the caller.</summary>
    private bool Keep(Exception error)
    {
        Atomics.Release(ref _failure, error);
        return false;
    }

    /// <exception cref="ShmException">The disk refused before.</exception>
    public void ThrowIfFailed()
    {
        if (Atomics.Acquire(ref _failure) is { } failure)
        {
            ThrowFailed(failure);
        }
    }

    private void ThrowFailed(Exception failure) => throw new ShmException(
        $"Lane {_lane} of the channel {_channel.Name} could not be written to its disk, so messages since then may not be durable, and "
        + $"no further ones are. Dispose this producer, and see to the disk. It said: {failure.Message}",
        failure)
    { ErrorNumber = (failure as ShmException)?.ErrorNumber ?? 0 };
}
