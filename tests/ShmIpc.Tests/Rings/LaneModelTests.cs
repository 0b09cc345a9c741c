// The lane against a list: random operations on a small lane, checked after each. CsCheck prints the seed of a failure.

using CsCheck;
using ShmIpc.Rings;
using Xunit;

namespace ShmIpc.Tests.Rings;

public class LaneModelTests
{
    private const int Readers = 3;
    private static readonly Gen<int> _size = Gen.Frequency(
        (2, Gen.Const(0)), (10, Gen.Int[1, 60]), (5, Gen.Int[61, 700]), (3, Gen.Int[701, 2032]), (1, Gen.Const(2032)));

    private enum Kind
    {
        Write,
        CommitShorter,
        Claim,
        BeginBatch,
        PublishBatch,
        AbortBatch,
        Read,
        Release,
        Join,
        Leave,
        Crash,
        HandOver,
    }

    [Fact]
    public void A_lane_behaves_as_a_list_with_one_writer_and_readers_that_come_and_go()
    {
        Gen<Kind> kind = Gen.Frequency(
            (30, Gen.Const(Kind.Write)), (6, Gen.Const(Kind.CommitShorter)), (3, Gen.Const(Kind.Claim)),
            (4, Gen.Const(Kind.BeginBatch)), (4, Gen.Const(Kind.PublishBatch)), (1, Gen.Const(Kind.AbortBatch)),
            (24, Gen.Const(Kind.Read)), (8, Gen.Const(Kind.Release)), (2, Gen.Const(Kind.Join)), (1, Gen.Const(Kind.Leave)),
            (2, Gen.Const(Kind.Crash)), (1, Gen.Const(Kind.HandOver)));
        Gen.Select(kind, _size, Gen.Int[0, Readers - 1]).List[1, 300].Sample(
            operations =>
            {
                using Model model = new();
                foreach ((Kind operation, int bytes, int reader) in operations)
                {
                    model.Apply(operation, bytes, reader);
                }

                model.ReadEverything();
            },
            iter: 1_500,
            print: operations => string.Join(" ", operations.Select(o => $"{o.Item1}({o.Item2},{o.Item3})")));
    }

    private sealed class Model : IDisposable
    {
        private readonly LaneMemory _memory = new(groups: Readers);
        private readonly List<byte[]> _published = [];
        private readonly List<byte[]> _batch = [];
        private readonly LaneReader?[] _readers = new LaneReader?[Readers];
        private readonly List<LaneRecord>[] _held = [[], [], []];
        private LaneWriter _writer;
        private bool _isBatching;
        private long _batchStart;
        private int _salt;

        public Model() => _writer = _memory.CreateWriter();

        public void Apply(Kind operation, int bytes, int reader)
        {
            switch (operation)
            {
                case Kind.Write: Write(bytes, bytes); break;
                case Kind.CommitShorter: Write(bytes, bytes / 3); break;
                case Kind.Claim: Write(bytes, -1); break;
                case Kind.BeginBatch when !_isBatching:
                    _writer.BeginBatch();
                    (_isBatching, _batchStart) = (true, _writer.Position);
                    break;
                case Kind.PublishBatch when _isBatching:
                    _writer.PublishBatch();
                    _published.AddRange(_batch);
                    EndBatch();
                    break;
                case Kind.AbortBatch when _isBatching:
                    _writer.AbortBatch();
                    EndBatch();
                    break;
                case Kind.Read when _readers[reader] is { } there: Read(there, _held[reader]); break;
                case Kind.Release when _readers[reader] is { } there:
                    there.Release();
                    _held[reader].Clear();
                    break;
                case Kind.Join when _readers[reader] is null: Join(reader); break;
                case Kind.Leave when _readers[reader] is not null:
                    _memory.Leave(reader);
                    _readers[reader] = null;
                    _held[reader].Clear();
                    break;
                case Kind.Crash:
                    TakeOver();
                    break;
                case Kind.HandOver:
                    _writer.AbortBatch();
                    _writer.StoreCommitted();
                    TakeOver();
                    break;
            }

            CheckHeld();
        }

        public void ReadEverything()
        {
            _isBatching = _isBatching && Abort();
            for (int reader = 0; reader < Readers; reader++)
            {
                if (_readers[reader] is null)
                {
                    Join(reader);
                }

                while (Read(_readers[reader]!, _held[reader]))
                {
                    CheckHeld();
                }

                Assert.Equal(_published.Count, _readers[reader]!.Sequence);
            }
        }

        public void Dispose() => _memory.Dispose();

        private bool Abort()
        {
            _writer.AbortBatch();
            return false;
        }

        private void EndBatch()
        {
            _batch.Clear();
            _isBatching = false;
        }

        private void Write(int claimedBytes, int committedBytes)
        {
            // The lane may refuse exactly when its slowest reader (or the open batch) is less than a lane away.
            long end = _writer.Position + RecordHeader.RecordBytes(0, claimedBytes) + 8;
            long lowest = _isBatching ? _batchStart : long.MaxValue;
            for (int reader = 0; reader < Readers; reader++)
            {
                lowest = _readers[reader] is null ? lowest : Math.Min(lowest, (long)_memory.Gate.Cursor(reader));
            }

            bool fits = lowest == long.MaxValue || end - lowest <= _memory.CapacityBytes;
            Assert.Equal(fits, _writer.TryReserve(claimedBytes));
            Assert.Equal(0UL, _writer.SuspectGroups);
            if (!fits)
            {
                return;
            }

            Assert.True(_writer.RoomBytes >= claimedBytes);
            byte[] payload = new byte[Math.Max(committedBytes, 0)];
            new Random(++_salt).NextBytes(payload);
            Span<byte> memory = _writer.Payload(claimedBytes);
            memory.Fill(0xEE); // a serializer may use all of the claim
            if (committedBytes >= 0)
            {
                payload.CopyTo(memory);
                _writer.Commit(committedBytes);
                (_isBatching ? _batch : _published).Add(payload);
            }
        }

        private bool Read(LaneReader reader, List<LaneRecord> held)
        {
            long sequence = reader.Sequence;
            Assert.Equal(sequence < _published.Count, reader.HasNext);
            long released = _readers.AsSpan().IndexOf(reader);
            reader.ReleaseIfDue();
            held.RemoveAll(record => record.Position < (long)_memory.Gate.Cursor((int)released));
            if (!reader.TryRead(out LaneRecord found))
            {
                Assert.Equal(_published.Count, sequence);
                held.Clear(); // an empty lane gives everything back
                return false;
            }

            Assert.Equal(sequence, found.Sequence);
            held.Add(found);
            Assert.Equal(_published.Count, reader.EndSequence(_memory.Control));
            return true;
        }

        private void Join(int reader)
        {
            LaneReader joined = _memory.Join(reader);
            Assert.InRange(joined.Sequence, 0, _published.Count);
            _readers[reader] = joined;
        }

        private void TakeOver()
        {
            _writer = _memory.CreateWriter();
            EndBatch();
            Assert.Equal(_published.Count, _writer.Sequence);
            Assert.Equal((_writer.Position, _writer.Sequence), _memory.Control.Committed.Read());
        }

        /// <summary>No byte that a reader holds is overwritten, by whatever the writer does.</summary>
        private void CheckHeld()
        {
            for (int reader = 0; reader < Readers; reader++)
            {
                foreach (LaneRecord record in _held[reader])
                {
                    byte[] expected = _published[(int)record.Sequence];
                    Assert.True(
                        expected.AsSpan().SequenceEqual(_readers[reader]!.Payload(record)),
                        $"Message {record.Sequence} ({expected.Length} bytes) changed while reader {reader} held it.");
                }
            }
        }
    }
}
