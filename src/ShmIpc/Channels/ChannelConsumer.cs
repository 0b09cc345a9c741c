// What a consumer does, whatever it carries: hold a participant's stamp and a seat in a group, wait, notice completion, leave. Reading
// itself is LaneVisitor's, or SharedVisitor's in a shared group; ByteConsumer and Consumer<T> put bytes and objects on top.

using System.Runtime.CompilerServices;
using System.Threading.Channels;
using ShmIpc.Memory;
using ShmIpc.Regions;
using ShmIpc.Waiting;

namespace ShmIpc.Channels;

internal sealed partial class ChannelConsumer : ISleeper, IDisposable
{
    private const int PollLooks = 16; // between two looks at everything else
    private const int AnswerLooks = 100; // for the answer to what was just sent: about a microsecond

    private readonly ChannelRegion _channel;
    private readonly Stamp _stamp;
    private readonly GroupSeat? _seat;
    private readonly LaneVisitor _lanes;
    private readonly SharedVisitor? _shared;
    private readonly bool _isManual;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _laneAtWait;
    private long _sequenceAtWait;
    private Spinner _spinner;
    private ArrivalGauge _arrivals;
    private MessageWaiter? _idleWaiter;

    /// <summary>Joins as an observer, in no group.</summary>
    public ChannelConsumer(ChannelRegion channel, StartPosition start)
        : this(channel, new ConsumerOptions { Start = start }, isObserver: true)
    {
    }

    public ChannelConsumer(ChannelRegion channel, ConsumerOptions? options)
        : this(channel, options ?? new ConsumerOptions(), isObserver: false)
    {
    }

    private ChannelConsumer(ChannelRegion channel, ConsumerOptions options, bool isObserver)
    {
        options.Validate();
        if (options.Kind == GroupKind.Shared && channel.Settings.FullMode == ShmFullMode.DropOldest)
        {
            throw new ShmGroupException(
                $"Channel {channel.Name} drops the oldest messages when it is full, and a shared group keeps those that its members work "
                + "on. Use an exclusive group, or create the channel with another FullMode.");
        }

        _channel = channel;
        Gate = new OperationGate(channel.Options.SingleReader, $"consumer of channel {channel.Name}");
        _spinner = new Spinner(channel.Options.WaitStrategy);
        _isManual = options.Acknowledge == AcknowledgeMode.Manual;
        channel.AddReference();
        try
        {
            channel.ThrowIfDeleted();
            _stamp = channel.Participants.Join(isObserver ? ParticipantRole.Observer : ParticipantRole.Consumer);
            channel.Groups.RetireForsaken(_stamp);
            _seat = isObserver
                ? new GroupSeat(-1, GroupKind.Exclusive, null, channel.Floors())
                : channel.Groups.Join(_stamp, options);
            if (_seat.Kind == GroupKind.Shared)
            {
                _shared = new SharedVisitor(channel, _seat, _stamp, _isManual, options.MaxInFlight);
            }

            _lanes = new LaneVisitor(channel, _seat, _stamp, _isManual ? new InFlight(options.MaxInFlight, channel.Name) : null);
            if (isObserver && options.Start == StartPosition.Latest)
            {
                _lanes.SkipToEnd(); // a group was told where to start, before it counted
            }
        }
        catch
        {
            Leave();
            Detach();
            throw;
        }
    }

    WaitingRoom ISleeper.Room => _channel.Readers;

    int ISleeper.Slot => _stamp.Slot;

    bool ISleeper.IsQuiet => !IsActive; // one that stands by has nothing to do with what is published

    public OperationGate Gate { get; }

    public Task Completion => _completion.Task;

    /// <summary>How long this consumer's waits have learned to spin.</summary>
    public ref Spinner Spinner => ref _spinner;

    /// <summary>Messages that were overwritten before this consumer could read them.</summary>
    public long LostMessages()
    {
        Gate.Enter();
        try
        {
            return _lanes.Lost;
        }
        finally
        {
            Gate.Exit();
        }
    }

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
        if (HasNext(out int pauses))
        {
            return true;
        }

        cancellation.ThrowIfCancellationRequested();
        Spinner spinner = _spinner;
        spinner.Begin(pauses);
        while (spinner.TrySpin())
        {
            if (HasNext(PollLooks))
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
            : TimedOut(deadline);
    }

    /// <summary>There was a message, and then there was none: another member took it, or a peer scribbles. That may happen again and
    /// again, so a wait looks here, too, whether it is over. Always true.</summary>
    public bool HasTimeOrThrow(Deadline deadline, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return deadline.IsOver ? throw TimedOut(deadline) : true;
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

        if (Gate.IsAtHome)
        {
            _channel.Readers.End(_stamp.Slot); // whoever of ours still waits finds the gate closed
            _lanes.Leave(); // automatic: finished with what it read
            _shared?.Leave();
            _channel.TryWakeWriters();
            Leave();
        }

        Detach();
    }

    void ISleeper.KeepAlive() => _channel.AddReference();

    void ISleeper.EndKeepAlive() => _channel.ReleaseReference();

    private void Leave()
    {
        if (_seat is { IsObserver: false })
        {
            _channel.Groups.Leave(_seat, _stamp);
        }

        if (_stamp != Stamp.None)
        {
            _channel.Participants.Leave(_stamp);
        }
    }

    /// <summary>Drops what only this process has of the channel.</summary>
    private void Detach()
    {
        _lanes?.Dispose();
        _shared?.Dispose();
        _channel.ReleaseReference();
    }

    private TimeoutException TimedOut(Deadline deadline) => new($"No message came on channel {_channel.Name} within {deadline.Asked}.");

    private async Task<bool> FaultedAsync()
    {
        await _completion.Task.ConfigureAwait(false);
        return false;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool Park(Deadline deadline, CancellationToken cancellation)
    {
        using Parking parking = new(this, deadline, cancellation);
        do
        {
            if (TryLook(out bool isReadable))
            {
                return isReadable;
            }
        }
        while (parking.TrySleep());
        return false;
    }

    /// <param name="pauses">How often to pause before the next look: the producer may be at work on the line.</param>
    private bool HasNext(out int pauses)
    {
        Gate.Enter();
        try
        {
            pauses = BeginWait();
            return LooksReadable();
        }
        finally
        {
            Gate.Exit();
        }
    }

    /// <summary>Looks for a message; several times only as long as nobody else wants to be inside.</summary>
    public bool HasNext(int looks = 1)
    {
        Gate.Enter();
        try
        {
            return _lanes.Poll(Gate.IsExclusive ? looks : 1) || LooksReadable();
        }
        finally
        {
            Gate.Exit();
        }
    }

    /// <summary>One look at everything that ends a wait: a message (true), or that there will be none (false).</summary>
    public bool TryLook(out bool isReadable)
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

    /// <summary><see cref="TryLook"/> for a pending await, which waits for no lock.</summary>
    /// <param name="isReadable">There is a message.</param>
    /// <param name="isContended">Somebody reads, and a serializer may take its time.</param>
    public bool TryFinishAwait(out bool isReadable, out bool isContended)
    {
        isReadable = false;
        isContended = !Gate.TryEnter();
        if (isContended)
        {
            return false;
        }

        try
        {
            return TryLookInGate(out isReadable);
        }
        finally
        {
            Gate.Exit();
        }
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

    /// <summary>A pending await for a message.</summary>
    private sealed class MessageWaiter(ChannelConsumer owner) : HubWaiter(owner)
    {
        private readonly ChannelConsumer _owner = owner;

        protected override bool TryFinish(out bool result)
        {
            bool isOver = _owner.TryFinishAwait(out result, out bool isContended);
            IsContended = isContended;
            return !isOver || result || _owner._completion.Task.Exception is not { } error ? isOver : throw error.InnerException!;
        }

        protected override void Return() => Atomics.Release(ref _owner._idleWaiter, this);
    }
}
