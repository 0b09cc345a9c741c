// Every public operation of a shared value that does not wait, in random order, against a variable. A failure prints the steps, made as
// few as CsCheck can, and the seed; the environment variable CsCheck_Seed repeats it.

using CsCheck;
using ShmIpc.Serialization;
using ShmIpc.Values;
using Xunit;

namespace ShmIpc.Tests.Values;

public class ValueModelTests
{
    private const int MaxValueBytes = 600;
    private const int MaxParticipants = 3;

    private static readonly Gen<int> _size = Gen.Frequency(
        (1, Gen.Const(0)), (10, Gen.Int[1, 64]), (5, Gen.Int[65, MaxValueBytes]), (2, Gen.Const(MaxValueBytes)),
        (1, Gen.Int[MaxValueBytes + 1, 2 * MaxValueBytes]));

    private static int Rounds => Environment.GetEnvironmentVariable("SHMIPC_LONG") == "1" ? 50_000 : 500;

    private enum Kind
    {
        CreateWriter,
        DisposeWriter,
        Write,
        Read,
        Watch,
        Reopen,
    }

    [Fact]
    public void A_shared_value_behaves_as_a_variable_with_one_writer_at_a_time()
    {
        Gen<Kind> kind = Gen.Frequency(
            (4, Gen.Const(Kind.CreateWriter)), (2, Gen.Const(Kind.DisposeWriter)), (12, Gen.Const(Kind.Write)), (12, Gen.Const(Kind.Read)),
            (6, Gen.Const(Kind.Watch)), (1, Gen.Const(Kind.Reopen)));
        Gen.Select(kind, Gen.Int[0, 1], _size).List[1, 100].Sample(
            steps =>
            {
                using Model model = new();
                foreach ((Kind step, int view, int bytes) in steps)
                {
                    model.Apply(step, view, bytes);
                }

                model.Delete();
            },
            iter: Rounds,
            print: steps => string.Join(" ", steps.Select(step => $"{step.Item1}({step.Item2},{step.Item3})")));
    }

    private sealed class Model : IDisposable
    {
        private const string Name = "value";
        private static readonly TimeSpan _noTime = TimeSpan.Zero;
        private readonly ScratchRoot _root = new();
        private readonly SharedValue<byte[]>[] _views;
        private SharedValueWriter<byte[]>? _writer;
        private byte[]? _value;
        private long _version;

        public Model() => _views =
        [
            SharedValue.Create(Name, new BytesPayload(), Options()),
            SharedValue.Open(Name, new BytesPayload(), Options()),
        ];

        public void Apply(Kind step, int view, int bytes)
        {
            SharedValue<byte[]> value = _views[view];
            switch (step)
            {
                case Kind.CreateWriter when _writer is null:
                    _writer = value.CreateWriter();
                    Assert.Equal(_version, _writer.Version);
                    break;
                case Kind.CreateWriter:
                    Assert.Throws<ShmLimitException>(value.CreateWriter);
                    break;
                case Kind.DisposeWriter when _writer is not null:
                    _writer.Dispose();
                    _writer.Dispose();
                    Assert.Throws<ObjectDisposedException>(() => _writer.Write([]));
                    _writer = null;
                    break;
                case Kind.Write when _writer is not null: Write(_writer, bytes); break;
                case Kind.Read: Read(value); break;
                case Kind.Watch: Watch(view, value); break;
                case Kind.Reopen: Reopen(view); break;
            }

            foreach (SharedValue<byte[]> each in _views)
            {
                Assert.Equal((_version, _writer is not null), (each.Version, each.HasWriter));
            }
        }

        public void Delete()
        {
            _writer?.Dispose();
            _writer = null;
            Assert.True(SharedValue.Exists(Name, _root.Path));
            Assert.True(SharedValue.Delete(Name, _root.Path));
            Assert.False(SharedValue.Delete(Name, _root.Path));
            Assert.False(SharedValue.Exists(Name, _root.Path));
            Assert.Throws<ShmRegionDeletedException>(() => _views[0].TryRead(out _));
            Assert.Throws<ShmRegionDeletedException>(_views[1].CreateWriter);
        }

        public void Dispose()
        {
            _writer?.Dispose();
            Array.ForEach(_views, view => view.Dispose());
            _root.Dispose();
        }

        private SharedValueOptions Options() =>
            new() { Root = _root.Path, MaxValueBytes = MaxValueBytes, MaxParticipants = MaxParticipants };

        private void Write(SharedValueWriter<byte[]> writer, int bytes)
        {
            byte[] next = new byte[bytes];
            new Random((int)_version).NextBytes(next);
            if (bytes > MaxValueBytes)
            {
                Assert.Throws<ShmMessageTooLargeException>(() => writer.Write(next));
            }
            else
            {
                _value = next;
                Assert.Equal(++_version, writer.Write(next));
            }

            Assert.Equal(_version, writer.Version);
        }

        private void Read(SharedValue<byte[]> value)
        {
            Assert.Equal(_value is not null, value.TryRead(out byte[]? read, out long version));
            Assert.Equal(_version, version);
            Assert.Equal(_value, read);
            Assert.Equal((Name, MaxValueBytes), (value.Name, value.MaxValueBytes));
        }

        private void Watch(int view, SharedValue<byte[]> value)
        {
            Assert.False(value.WaitForChange(_version, _noTime));
            Assert.True(value.WaitForChange(_version - 1, _noTime));
            if (_value is null)
            {
                Assert.Throws<TimeoutException>(() => value.Read(_noTime));
            }
            else
            {
                Assert.Equal(_value, value.Read(_noTime));
                Assert.Equal(_version, value.WaitForChangeAsync(_version - 1).AsTask().GetAwaiter().GetResult());
            }
        }

        private void Reopen(int view)
        {
            _views[view].Dispose();
            Assert.Throws<ObjectDisposedException>(() => _views[view].Version);
            Assert.Throws<ShmRegionExistsException>(() => SharedValue.Create(Name, new BytesPayload(), Options()));
            _views[view] = view == 0
                ? SharedValue.Open(Name, new BytesPayload(), Options())
                : SharedValue.CreateOrOpen(Name, new BytesPayload(), Options());
        }
    }
}
