// What a consumer does, whatever it carries: hold a participant's stamp and a seat in a group, wait, notice completion, leave. Reading
// itself is LaneVisitor's, or SharedVisitor's in a shared group; ByteConsumer and Consumer<T> put bytes and objects on top.

using System.Runtime.CompilerServices;
using System.Threading.Channels;
using ShmIpc.Memory;
using ShmIpc.Regions;
using ShmIpc.Waiting;

namespace ShmIpc.Channels;

internal sealed partial class ChannelConsumer : IDisposable
{
    /// <summary>More messages than this since the last wait mean that the producer is streaming, not answering.</summary>
    private const int CatchUpMessages = 1;

    private readonly ChannelRegion _channel;
    private readonly Stamp _stamp;
    private readonly GroupSeat? _seat;
    private readonly LaneVisitor _lanes;
    private readonly SharedVisitor? _shared;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _sequenceAtWait;
    private Spinner _spinner;
    private MessageWaiter? _idleWaiter;

    public ChannelConsumer(ChannelRegion channel, ConsumerOptions? options)
    {
        options ??= new ConsumerOptions();
        options.Validate();
        _channel = channel;
        Gate = new OperationGate(channel.Options.SingleReader, $"consumer of channel {channel.Name}");
        _spinner = new Spinner(channel.Options.WaitStrategy);
        bool isManual = options.Acknowledge == AcknowledgeMode.Manual;
        channel.AddReference();
        try
        {
            channel.ThrowIfDeleted();
            _stamp = channel.Participants.Join(ParticipantRole.Consumer);
            _seat = channel.Groups.Join(_stamp, options);
            if (_seat.Kind == GroupKind.Shared)
            {
                _shared = new SharedVisitor(channel, _seat, _stamp, isManual, options.MaxInFlight);
            }

            _lanes = new LaneVisitor(channel, _seat, _stamp, isManual ? new InFlight(options.MaxInFlight, channel.Name) : null);
        }
        catch
        {
            Leave();
            throw;
        }
    }

    public OperationGate Gate { get; }

    public Task Completion => _completion.Task;

    /// <summary>Messages that are there and not yet read, over all lanes. Exact at the instant of the look.</summary>
    public long Count()
    {
        Gate.Enter();
        try
        {
            return _shared is null ? _lanes.Count() : _shared.Count();
        }
        finally
        {
            Gate.Exit();
        }
    }

    /// <summary>Outside the gate: waits for a message. False when the time is over, or when there will be none (then
    /// <see cref="Completion"/> is done).</summary>
    public bool WaitToRead(Deadline deadline, CancellationToken cancellation)
    {
        if (HasNext(out bool hasCaughtUp))
        {
            return true;
        }

        cancellation.ThrowIfCancellationRequested();
        Spinner spinner = _spinner;
        spinner.Begin(hasCaughtUp);
        while (spinner.TrySpin())
        {
            if (HasNext(out _))
            {
                spinner.Succeeded();
                _spinner = spinner;
                return true;
            }

            if (spinner.IsTimeToCheck)
            {
                if (TryLook(out bool isReadable))
                {
                    return isReadable;
                }

                if (deadline.IsOver || cancellation.IsCancellationRequested)
                {
                    break;
                }
            }
        }

        spinner.Failed();
        _spinner = spinner;
        return Park(deadline, cancellation);
    }

    /// <summary>Outside the gate: waits for a message, or says why there is none.</summary>
    public void WaitOrThrow(Deadline deadline, CancellationToken cancellation)
    {
        if (WaitToRead(deadline, cancellation))
        {
            return;
        }

        throw _completion.Task.IsCompleted
            ? new ChannelClosedException(
                "Every producer has completed or gone, and everything was read.", _completion.Task.Exception?.InnerException)
            : new TimeoutException($"No message came on channel {_channel.Name} within {deadline.Asked}.");
    }

    /// <summary>Outside the gate: completes with true when there is a message, with false when there will be none.</summary>
    public ValueTask<bool> WaitToReadAsync(CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<bool>(cancellation);
        }

        if (TryLook(out bool isReadable))
        {
            return isReadable || !_completion.Task.IsFaulted ? new ValueTask<bool>(isReadable) : new ValueTask<bool>(FaultedAsync());
        }

        MessageWaiter waiter = Atomics.Exchange(ref _idleWaiter, null) ?? new MessageWaiter(this);
        return waiter.Start(cancellation);
    }

    public void Dispose()
    {
        if (!Gate.TryDispose())
        {
            return;
        }

        _channel.Readers.Ring(_stamp.Slot); // threads of ours that still wait find the gate closed
        _lanes.Leave(); // automatic: finished with what it read
        _shared?.Leave();
        _channel.TryWakeWriters();
        Leave();
    }

    private void Leave()
    {
        _lanes?.Dispose();
        _shared?.Dispose();
        if (_seat is not null)
        {
            _channel.Groups.Leave(_seat, _stamp);
        }

        if (_stamp != Stamp.None)
        {
            _channel.Participants.Leave(_stamp);
        }

        _channel.ReleaseReference();
    }

    private async Task<bool> FaultedAsync()
    {
        await _completion.Task.ConfigureAwait(false);
        return false;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool Park(Deadline deadline, CancellationToken cancellation)
    {
        _channel.AddReference(); // the doorbell stays mapped, whoever disposes what, and longer than a cancellation can ring it
        try
        {
            using CancellationTokenRegistration ring = cancellation.CanBeCanceled
                ? cancellation.UnsafeRegister(static state => ((ChannelConsumer)state!).RingSelf(), this)
                : default;
            while (true)
            {
                uint ticket = _channel.Readers.Prepare(_stamp.Slot);
                if (TryLook(out bool isReadable))
                {
                    return isReadable;
                }

                cancellation.ThrowIfCancellationRequested();
                if (deadline.IsOver)
                {
                    return false;
                }

                _channel.Readers.Sleep(_stamp.Slot, ticket, deadline.Left);
            }
        }
        finally
        {
            _channel.ReleaseReference();
        }
    }

    /// <param name="hasCaughtUp">True when several messages were read since the last wait: the producer is at work on the next
    /// line.</param>
    private bool HasNext(out bool hasCaughtUp)
    {
        Gate.Enter();
        try
        {
            long sequence = _lanes.Sequence; // in a shared group: always 0
            hasCaughtUp = sequence - _sequenceAtWait > CatchUpMessages;
            _sequenceAtWait = sequence;
            return LooksReadable();
        }
        finally
        {
            Gate.Exit();
        }
    }

    /// <summary>One look at everything that ends a wait: a message (true), or that there will be none (false).</summary>
    private bool TryLook(out bool isReadable)
    {
        Gate.Enter();
        try
        {
            return TryLookInGate(out isReadable);
        }
        finally
        {
            Gate.Exit();
        }
    }

    private bool TryLookInGate(out bool isReadable)
    {
        isReadable = LooksReadable();
        if (isReadable)
        {
            return true;
        }

        FinishWithWhatWasRead();
        _channel.ThrowIfDeleted();
        ThrowIfEvicted();
        if (!_channel.IsCompleted())
        {
            return false;
        }

        isReadable = LooksReadable(); // published between the two looks
        if (isReadable || !IsFinishedForAll())
        {
            return isReadable;
        }

        Complete();
        return true;
    }

    private void Complete()
    {
        if (_channel.CompletionError() is { } error)
        {
            _completion.TrySetException(error);
            _ = _completion.Task.Exception; // nobody has to look at it
        }
        else
        {
            _completion.TrySetResult();
        }
    }

    private void RingSelf() => _channel.Readers.Ring(_stamp.Slot);

    /// <summary>A pending await for a message.</summary>
    private sealed class MessageWaiter(ChannelConsumer owner) : HubWaiter
    {
        private readonly ChannelConsumer _owner = owner;

        protected override WaitingRoom Room => _owner._channel.Readers;

        protected override int Slot => _owner._stamp.Slot;

        protected override bool TryFinish(out bool result)
        {
            result = false;
            if (!_owner.Gate.TryEnter())
            {
                IsContended = true; // somebody reads, and a serializer may take its time
                return false;
            }

            try
            {
                if (!_owner.TryLookInGate(out result))
                {
                    return false;
                }
            }
            finally
            {
                _owner.Gate.Exit();
            }

            if (!result && _owner._completion.Task.Exception is { } error)
            {
                throw error.InnerException!;
            }

            return true;
        }

        protected override void KeepAlive() => _owner._channel.AddReference();

        protected override void EndKeepAlive() => _owner._channel.ReleaseReference();

        protected override void Return() => Atomics.Release(ref _owner._idleWaiter, this);
    }
}
