// One pending WaitAnyAsync: a member among the pending awaits of each consumer. The first member that is over decides; then the others
// are taken out, and when the last of them is out, the task completes. It is used again after that, so that a steady stream of
// awaits allocates nothing.
//
// WHY IT COMPLETES ONCE, AND IS NEVER USED AGAIN TOO EARLY. A member is counted in _left from before it is added until it is certain that
// nobody will speak for it: not added, taken out by TryRemove, or completed by whoever found it over. Each of the three excludes
// the others, under the lock of its PendingAwaits. Start, and whoever takes the members out, count as one more each. Whoever brings
// the count to 0 completes.

using System.Threading.Tasks.Sources;
using ShmIpc.Memory;
using ShmIpc.Waiting;

namespace ShmIpc.Channels;

internal sealed class AnyAwait : IValueTaskSource<int>
{
    private const int MaxIdle = 64;
    private static readonly TimeSpan _longestTimer = TimeSpan.FromDays(1);
    private static readonly Stack<AnyAwait> _idle = new();
    private static readonly Action<object?> _onCancel = static state => ((AnyAwait)state!).Cancel();

    private readonly Lock _sync = new();
    private readonly List<Member> _members = [];
    private ManualResetValueTaskSourceCore<int> _source = new() { RunContinuationsAsynchronously = true };
    private CancellationToken _cancellation;
    private CancellationTokenRegistration _registration;
    private int _left;
    private int _used;
    private int _winner;
    private Exception? _error;
    private bool _isStarting;
    private bool _isDecided;

    /// <summary>Completes with the index of one that can be read or has completed.</summary>
    public static ValueTask<int> WaitAsync(ReadOnlySpan<IShmConsumer> consumers, CancellationToken cancellation)
    {
        AnyWait.Check(consumers);
        if (cancellation.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<int>(cancellation);
        }

        int first = Random.Shared.Next(consumers.Length);
        int found = AnyWait.Look(consumers, first);
        return found >= 0 ? new ValueTask<int>(found) : Rent().Start(consumers, first, cancellation);
    }

    /// <summary>Blocks until <see cref="WaitAsync"/> completes, for where a thread cannot sleep on several words. -1 when the time is
    /// over.</summary>
    public static int Wait(ReadOnlySpan<IShmConsumer> consumers, Deadline deadline, CancellationToken cancellation)
    {
        while (true)
        {
            TimeSpan left = deadline.Left;
            using CancellationTokenSource timeUp = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            timeUp.CancelAfter(left < _longestTimer ? left : _longestTimer);
            try
            {
                return WaitAsync(consumers, timeUp.Token).AsTask().GetAwaiter().GetResult();
            }
            catch (OperationCanceledException)
            {
                cancellation.ThrowIfCancellationRequested();
                if (deadline.IsOver)
                {
                    return -1;
                }
            }
        }
    }

    /// <inheritdoc/>
    public int GetResult(short token)
    {
        if (_source.GetStatus(token) == ValueTaskSourceStatus.Pending)
        {
            throw new InvalidOperationException("The wait is not over: await the task, and only once.");
        }

        try
        {
            return _source.GetResult(token);
        }
        finally
        {
            _registration.Dispose();
            _registration = default;
            _source.Reset();
            Return();
        }
    }

    /// <inheritdoc/>
    public ValueTaskSourceStatus GetStatus(short token) => _source.GetStatus(token);

    /// <inheritdoc/>
    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    private static AnyAwait Rent()
    {
        lock (_idle)
        {
            return _idle.TryPop(out AnyAwait? idle) ? idle : new AnyAwait();
        }
    }

    private void Return()
    {
        for (int i = 0; i < _used; i++)
        {
            _members[i].Consumer = null;
        }

        _error = null;
        lock (_idle)
        {
            if (_idle.Count < MaxIdle)
            {
                _idle.Push(this);
            }
        }
    }

    private ValueTask<int> Start(ReadOnlySpan<IShmConsumer> consumers, int first, CancellationToken cancellation)
    {
        (_left, _used, _isStarting, _isDecided) = (1, consumers.Length, true, false);
        while (_members.Count < consumers.Length)
        {
            _members.Add(new Member(this, _members.Count));
        }

        for (int i = 0; i < consumers.Length && !Atomics.Acquire(ref _isDecided); i++)
        {
            Add((first + i) % consumers.Length, consumers);
        }

        lock (_sync)
        {
            _isStarting = false;
        }

        short version = _source.Version;
        if (_isDecided)
        {
            TakeOutMembers();
        }
        else if (cancellation.CanBeCanceled)
        {
            _cancellation = cancellation;
            _registration = cancellation.UnsafeRegister(_onCancel, this);
        }

        Leave();
        return new ValueTask<int>(this, version);
    }

    private void Add(int index, ReadOnlySpan<IShmConsumer> consumers)
    {
        Member member = _members[index];
        member.Consumer = consumers[index].Core;
        Atomics.Increment(ref _left);
        Exception? error = null;
        try
        {
            if (member.Awaits.TryAdd(member))
            {
                return;
            }
        }
        catch (Exception thrown)
        {
            error = thrown;
        }

        Decide(index, error);
        Leave();
    }

    /// <summary>Some member is over, or the wait was cancelled. Only the first one counts.</summary>
    private void Decide(int winner, Exception? error)
    {
        lock (_sync)
        {
            if (_isDecided)
            {
                return;
            }

            (_winner, _error) = (winner, error);
            Atomics.Release(ref _isDecided, true);
            if (_isStarting)
            {
                return; // Start takes the members out, when it has added the last
            }

            Atomics.Increment(ref _left); // of a wait that was not decided somebody is left, so this does not come too late
        }

        TakeOutMembers();
        Leave();
    }

    private void TakeOutMembers()
    {
        for (int i = 0; i < _used; i++)
        {
            if (_members[i] is { Consumer: not null } member && member.Awaits.TryRemove(member))
            {
                Leave();
            }
        }
    }

    private void Leave()
    {
        if (Atomics.Decrement(ref _left) != 0)
        {
            return;
        }

        if (_error is { } error)
        {
            _source.SetException(error);
        }
        else
        {
            _source.SetResult(_winner);
        }
    }

    private void Cancel() => Decide(-1, new OperationCanceledException(_cancellation));

    /// <summary>The wait for one of the consumers.</summary>
    private sealed class Member(AnyAwait owner, int index) : PendingAwait
    {
        private readonly AnyAwait _owner = owner;
        private readonly int _index = index;
        private ChannelConsumer? _consumer;

        public ChannelConsumer? Consumer
        {
            get => _consumer;
            set => Sleeper = (_consumer = value)!;
        }

        public PendingAwaits Awaits => Sleeper.Room.Awaits;

        public override void Complete()
        {
            _owner.Decide(_index, Error);
            _owner.Leave();
        }

        protected override bool TryFinish(out bool result)
        {
            bool isOver = _consumer!.TryFinishAwait(out result, out bool isContended);
            IsContended = isContended;
            return isOver;
        }
    }
}
