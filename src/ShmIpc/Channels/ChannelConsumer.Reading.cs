// Reading, and saying that one is done: which of the two visitors does it depends on the group's kind.

using System.Runtime.CompilerServices;
using ShmIpc.Rings;

namespace ShmIpc.Channels;

internal sealed partial class ChannelConsumer
{
    /// <summary>The named group, or null.</summary>
    public string? Group => _seat!.Name;

    /// <summary>False while another member of an exclusive group reads and this one stands by.</summary>
    public bool IsActive => _shared is not null || _lanes.IsActive;

    /// <summary>As <see cref="TryStep"/>, for a reader that is going to wait: it looks on for a while without leaving the gate.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryStepSoon(out LaneRecord record, out ReadOnlySpan<byte> payload)
    {
        if (PollSoon())
        {
            return TryStep(out record, out payload);
        }

        record = default;
        payload = default;
        return false;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool PollSoon()
    {
        if (!_spinner.IsWorthwhile || !_lanes.CanStep || !_lanes.TryRelease())
        {
            return false;
        }

        int pauses = BeginWait();
        if (pauses > 0)
        {
            Thread.SpinWait(pauses);
        }

        return _lanes.Poll(Gate.IsExclusive ? AnswerLooks : 1);
    }

    private int BeginWait()
    {
        (int lane, long sequence) = (_lanes.Lane, _lanes.Sequence); // in a shared group: always 0
        int pauses = _arrivals.PausesBefore(lane == _laneAtWait ? sequence - _sequenceAtWait : 1);
        (_laneAtWait, _sequenceAtWait) = (lane, sequence);
        return pauses;
    }

    /// <summary>Inside the gate: the lane of the last <see cref="TryStep"/>.</summary>
    public int LaneOfStep => _lanes.Lane;

    /// <summary>Inside the gate: the lane that the last message came from.</summary>
    public int Lane => _shared is null ? _lanes.Lane : _shared.Lane;

    /// <summary>Inside the gate: the memory of <see cref="Lane"/>, mirrored.</summary>
    public ReadOnlyMemory<byte> LaneMemory => _shared is null ? _lanes.CurrentMemory : _shared.CurrentMemory;

    /// <summary>Inside the gate: steps over the next message where nothing special is to be done, in as few steps as can be. False says
    /// nothing; <see cref="TryRead"/> is for all. The record stands in the lane, and was never handed out before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryStep(out LaneRecord record, out ReadOnlySpan<byte> payload)
    {
        if (_lanes.TryStep(out record))
        {
            payload = _lanes.Current.PayloadInPlace(record);
            return true;
        }

        payload = default;
        return false;
    }

    /// <summary>Inside the gate: steps over the next message.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryRead(out LaneRecord record) => _lanes.TryStep(out record) || TryReadLong(out record);

    /// <summary>Inside the gate, behind a <see cref="TryStep"/> that said false: the long way.</summary>
    public bool TryReadLong(out LaneRecord record) => _shared is null ? _lanes.TryRead(out record) : _shared.TryRead(out record);

    /// <summary>Inside the gate: steps over up to <paramref name="maxRecords"/> consecutive messages of one lane. They stay valid until
    /// <see cref="ReleaseBatch"/>. Returns how many.</summary>
    public int TryReadBatch(int maxRecords, out LaneRecord first) => _shared is null && !_isManual
        ? _lanes.TryReadBatch(maxRecords, out first)
        : throw new InvalidOperationException(
            $"This consumer of channel {_channel.Name} is in a shared group or acknowledges by hand, and each of its messages is finished "
            + "with by itself: read them one at a time.");

    /// <inheritdoc cref="LaneVisitor.TryPayloadAt"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryPayloadAt(long position, long sequence, out ReadOnlySpan<byte> payload, out long next) =>
        _lanes.TryPayloadAt(position, sequence, out payload, out next);

    /// <summary>Inside the gate: a message of the batch that was just read, and the position of the next.</summary>
    public LaneRecord RecordOfBatch(long position, long sequence, out long next) => _lanes.Current.RecordAt(position, sequence, out next);

    /// <summary>Inside the gate: gives back the batch that was just read, unless the consumer was disposed meanwhile, which has done
    /// so.</summary>
    public void ReleaseBatch()
    {
        if (Gate.IsUsable)
        {
            _lanes.Leave();
            _channel.TryWakeWriters();
        }
    }

    /// <summary>Inside the gate: the bytes of the message that was just read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<byte> Payload(LaneRecord record) =>
        _shared is null ? _lanes.Current.Payload(record) : _shared.Payload(record);

    /// <summary>Inside the gate: how often the message that was just read was handed out, this time included.</summary>
    public int DeliveryCount(LaneRecord record) => _shared is null ? _lanes.DeliveryCount(record) : _shared.DeliveryCount;

    /// <summary>Says that a message was finished with, or everything that was read (lane -1).</summary>
    public void Acknowledge(int lane = -1, long position = 0)
    {
        Gate.Enter();
        try
        {
            AcknowledgeInGate(lane, position);
        }
        finally
        {
            Gate.Exit();
        }
    }

    /// <inheritdoc cref="Acknowledge"/>
    public void AcknowledgeInGate(int lane, long position)
    {
        if (_shared is null)
        {
            _lanes.Acknowledge(lane, position);
        }
        else
        {
            _shared.Acknowledge(lane, position);
        }

        if (_channel.Settings.IsEvicting)
        {
            ThrowIfEvicted();
        }
    }

    private bool LooksReadable() => _shared is null ? _lanes.HasNext() : _shared.HasNext();

    /// <summary>Whoever waits has finished with what it read, if it acknowledges automatically.</summary>
    private void FinishWithWhatWasRead()
    {
        if (_shared is null)
        {
            _lanes.ReleaseAndWake();
        }
        else
        {
            _shared.AcknowledgeAutomatically();
        }
    }

    /// <summary>There is nothing for this member to read; true when nothing can come back to it from another member either.</summary>
    private bool IsFinishedForAll() =>
        _shared is not null ? !_shared.IsAnyInFlightElsewhere() : _lanes.IsActive || _lanes.IsEverythingRead();

    private void ThrowIfEvicted()
    {
        if (_seat is { IsNamed: true })
        {
            _channel.Groups.ContinueRetiring(_seat.Group, _stamp);
        }

        if (_shared is null)
        {
            _lanes.ThrowIfEvicted();
        }
        else
        {
            _shared.ThrowIfGone();
        }
    }
}
