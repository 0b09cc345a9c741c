using System.Runtime.CompilerServices;
using ShmIpc.Rings;

namespace ShmIpc.Channels;

/// <summary>Consecutive messages of one lane, where they stand in shared memory: no copy was made. Use <c>foreach</c>, as often as
/// needed.</summary>
/// <remarks>Every record, and its payload, is valid until <see cref="Release"/> or disposal, and not after. Until then no room is given
/// back to producers, and the consumer can read nothing else, on this thread or another.</remarks>
public readonly ref struct RecordBatch
{
    private readonly ByteConsumer? _consumer;
    private readonly long _number;
    private readonly LaneRecord _first;

    internal RecordBatch(ByteConsumer consumer, long number, int lane, LaneRecord first, int count)
    {
        _consumer = consumer;
        _number = number;
        _first = first;
        Lane = lane;
        Count = count;
    }

    /// <summary>How many messages it has.</summary>
    public int Count { get; }

    /// <summary>The lane they came from.</summary>
    public int Lane { get; }

    private bool IsOpen => _consumer is not null && _consumer.IsOpen(_number);

    /// <summary>Goes over the messages, oldest first.</summary>
    public Enumerator GetEnumerator() => new(this);

    /// <summary>Finishes with all of its messages and gives their room back to the producers. Does nothing when it has ended
    /// already.</summary>
    public void Release()
    {
        if (IsOpen)
        {
            _consumer!.EndBatch();
        }
    }

    /// <summary>Releases the batch.</summary>
    public void Dispose() => Release();

    /// <summary>Goes over the messages of a <see cref="RecordBatch"/>.</summary>
    public ref struct Enumerator
    {
        private readonly ByteConsumer? _consumer;
        private readonly long _number;
        private readonly int _lane;
        private ReadOnlySpan<byte> _payload;
        private int _deliveryCount;
        private int _left;
        private long _position;
        private long _next;
        private long _sequence;

        internal Enumerator(RecordBatch batch)
        {
            _consumer = batch._consumer;
            _number = batch._number;
            _lane = batch.Lane;
            _left = batch.Count;
            _next = batch._first.Position;
            _sequence = batch._first.Sequence - 1;
        }

        /// <summary>The message.</summary>
        public readonly ShmRecord Current => new(_payload, _lane, _position, _sequence, _deliveryCount);

        /// <summary>Goes to the next message; false behind the last.</summary>
        /// <exception cref="InvalidOperationException">The batch has ended.</exception>
        /// <exception cref="ShmCorruptionException">A peer damaged the lane.</exception>
        /// <exception cref="ObjectDisposedException">The consumer was disposed, and the memory is gone.</exception>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public bool MoveNext()
        {
            if (_left == 0)
            {
                return false;
            }

            if (!_consumer!.IsOpen(_number))
            {
                throw new InvalidOperationException("The batch has ended: it was released or disposed.");
            }

            _payload = _consumer.PayloadOfBatch(_next, _sequence + 1, out long next, out _deliveryCount);
            _position = _next;
            _next = next;
            _sequence++;
            _left--;
            return true;
        }
    }
}
