// A machine with one channel on one disk, that is used at random, loses power, has its processes killed, and comes up again; and the
// list of what must be there each time. A process's death is a copy of the file (nobody holds its locks), with the same boot's id.

using ShmIpc.Channels;
using ShmIpc.Regions;
using ShmIpc.Rings;
using Xunit;

namespace ShmIpc.Tests.Persistence;

internal sealed class PowerCutMachine : IDisposable
{
    public const int Lanes = 2;
    private const string Name = "durable";
    private readonly Random _random;
    private readonly ShmChannelOptions _options;
    private readonly int _largestBytes;
    private readonly bool _hasOneSize;
    private readonly List<byte[]>[] _written = [[], []]; // by lane: what must stand at each number, published or about to be
    private readonly long[] _promised = new long[Lanes]; // by lane: numbers below were promised to be durable
    private readonly ChannelProducer?[] _producers = new ChannelProducer?[Lanes];
    private PowerCutDisk _disk;
    private ChannelAttachment _channel;
    private ByteConsumer? _consumer;
    private ulong _lastId;

    /// <param name="random">Decides everything.</param>
    /// <param name="root">A directory on a disk.</param>
    /// <param name="mode">The channel's mode.</param>
    /// <param name="capacityBytes">Of a lane.</param>
    /// <param name="largestBytes">The largest message.</param>
    /// <param name="hasOneSize">True when all messages have that size.</param>
    public PowerCutMachine(Random random, string root, ShmFlushMode mode, int capacityBytes, int largestBytes, bool hasOneSize)
    {
        _random = random;
        _largestBytes = largestBytes;
        _hasOneSize = hasOneSize;
        _options = new ShmChannelOptions
        {
            Root = root,
            Flush = mode,
            FlushPeriod = mode == ShmFlushMode.Async ? TimeSpan.FromHours(1) : null, // the test flushes
            Checksums = true,
            LaneCapacityBytes = capacityBytes,
            MaxProducers = Lanes,
            MaxGroups = 2,
            MaxParticipants = 6,
        };
        using (ShmByteChannel.Create(Name, _options))
        {
            _disk = new PowerCutDisk(FilePath);
        }

        _options.Disk = _disk;
        _channel = Attach();
    }

    public int Images { get; private set; }

    public long Offered { get; private set; }

    /// <summary>Messages that a cut took back, none of which had been promised.</summary>
    public long TakenBack { get; private set; }

    private string FilePath => Path.Combine(_options.Root!, Name);

    private ChannelRegion Region => _channel.Region;

    /// <summary>Uses the channel for a while, in the middle of anything perhaps, until the power is cut.</summary>
    public void Live(int operations)
    {
        _disk.FlushesLeft = _random.Next(3) == 0 ? _random.Next(30) : int.MaxValue;
        try
        {
            for (int i = _random.Next(operations); i >= 0 && Act(); i--)
            {
                _disk.Look();
            }
        }
        catch (PowerCutException)
        {
        }

        _disk.Look();
    }

    /// <summary>Cuts the power, looks at several images of what that may leave, and comes up with the last.</summary>
    public void Restart(int images)
    {
        (long Position, long Sequence)[] floors = [.. Enumerable.Range(0, Lanes).Select(lane => Region.Lane(lane).Floor.Read())];
        PowerCutDisk cut = _disk;
        Abandon();
        for (int i = 0; i < images; i++)
        {
            bool isLast = i == images - 1;
            byte[] image = cut.CutPower(_random);
            while (!TryComeUp(ref image))
            {
                Images++; // the power went again while the channel was being recovered
            }

            Images++;
            long[] ends = CheckWhatIsThere(floors);
            if (!isLast)
            {
                Abandon();
                _disk.Dispose();
                continue;
            }

            for (int lane = 0; lane < Lanes; lane++)
            {
                TakenBack += _written[lane].Count - ends[lane];
                _written[lane].RemoveRange((int)ends[lane], _written[lane].Count - (int)ends[lane]);
                bool isJournaled = _options.Flush != ShmFlushMode.None || Region.Lane(lane).Journaled != 0;
                _promised[lane] = isJournaled ? ends[lane] : 0; // it was read from the disk
            }
        }

        cut.Dispose();
    }

    public void Dispose()
    {
        Abandon();
        _disk.Dispose();
    }

    private bool TryComeUp(ref byte[] image)
    {
        _random.NextBytes(image.AsSpan(RegionLayout.OrderedInBootOffset, 16)); // another boot
        Write(image);
        _options.Disk = _disk = new PowerCutDisk(FilePath) { FlushesLeft = _random.Next(4) == 0 ? _random.Next(Lanes + 1) : int.MaxValue };
        try
        {
            _channel = Attach();
            _disk.FlushesLeft = int.MaxValue;
            return true;
        }
        catch (PowerCutException)
        {
            _disk.Look();
            image = _disk.CutPower(_random);
            _disk.Dispose();
            return false;
        }
    }

    /// <summary>Reads everything: a stretch of what was written, whole and in its order, from no later than the floor that was, to no
    /// earlier than what was promised.</summary>
    private long[] CheckWhatIsThere((long Position, long Sequence)[] floors)
    {
        long[] next = new long[Lanes];
        for (int lane = 0; lane < Lanes; lane++)
        {
            (long position, long sequence) = Region.Lane(lane).Floor.Read();
            Assert.True(
                position <= floors[lane].Position,
                $"Lane {lane} begins at {position}, and its floor was {floors[lane].Position} when the power went.");
            next[lane] = sequence;
        }

        using ByteConsumer reader = Consumer();
        while (reader.TryRead(out ShmRecord record))
        {
            int lane = record.Lane;
            Assert.Equal(next[lane], record.Sequence);
            Assert.True(record.Sequence < _written[lane].Count, $"Message {record.Sequence} of lane {lane} was never published.");
            Assert.True(
                record.Payload.SequenceEqual(_written[lane][(int)record.Sequence]),
                $"Message {record.Sequence} of lane {lane}, at {record.Position}, is not the one that was published.");
            next[lane]++;
            Offered++;
        }

        for (int lane = 0; lane < Lanes; lane++)
        {
            Assert.True(
                next[lane] >= _promised[lane],
                $"Lane {lane} ends at message {next[lane]}, and all below {_promised[lane]} had been promised to be durable.");
        }

        return next;
    }

    /// <summary>False when the power goes, in the middle of something.</summary>
    private bool Act()
    {
        int lane = _random.Next(Lanes);
        switch (_random.Next(100))
        {
            case < 50: Write(lane); break;
            case < 62: return WriteBatch(lane);
            case < 66: AbortClaim(lane); break;
            case < 82: Read(); break;
            case < 88: Flush(lane); break;
            case < 92: Leave(lane); break;
            case < 94: LeaveConsumer(); break;
            case < 97: Kill(); break;
            default: AbortClaim(lane); return _random.Next(2) == 0;
        }

        return true;
    }

    private void Write(int lane)
    {
        ChannelProducer producer = Producer(ref lane);
        byte[] message = NextMessage();
        if (!producer.TryReserve(message.Length))
        {
            Read();
            return;
        }

        message.CopyTo(producer.Writer.Payload(message.Length));
        _written[lane].Add(message);
        producer.Writer.Commit(message.Length);
        Settle(producer, lane);
    }

    private bool WriteBatch(int lane)
    {
        ChannelProducer producer = Producer(ref lane);
        List<byte[]> batch = [];
        producer.Writer.BeginBatch();
        for (int left = _random.Next(6); left >= 0; left--)
        {
            byte[] message = NextMessage();
            if (!producer.TryReserve(message.Length))
            {
                break;
            }

            message.CopyTo(producer.Writer.Payload(message.Length));
            producer.Writer.Commit(message.Length);
            batch.Add(message);
            _disk.Look();
        }

        switch (_random.Next(8))
        {
            case 0:
                return false;
            case 1:
                Kill();
                return true;
            case < 5:
                producer.Writer.AbortBatch();
                return true;
            default:
                _written[lane].AddRange(batch);
                producer.Writer.PublishBatch();
                Settle(producer, lane);
                return true;
        }
    }

    private void AbortClaim(int lane)
    {
        ChannelProducer producer = Producer(ref lane);
        int bytes = _random.Next(_largestBytes);
        if (producer.TryReserve(bytes))
        {
            _random.NextBytes(producer.Writer.Payload(bytes));
        }
    }

    private void Read()
    {
        _consumer ??= Consumer();
        for (int left = _random.Next(20); left > 0 && _consumer.TryRead(out ShmRecord record); left--)
        {
            Assert.True(record.Payload.SequenceEqual(_written[record.Lane][(int)record.Sequence]));
        }

        _consumer.Release();
    }

    private void Flush(int lane)
    {
        if (_producers[lane] is { } producer)
        {
            producer.Flush();
            _promised[lane] = _written[lane].Count;
        }
    }

    private void Settle(ChannelProducer producer, int lane)
    {
        producer.Settle();
        if (_options.Flush == ShmFlushMode.Sync)
        {
            _promised[lane] = _written[lane].Count;
        }
    }

    private void Leave(int lane)
    {
        ChannelProducer? producer = _producers[lane];
        _producers[lane] = null;
        producer?.Dispose();
        if (producer is not null && _options.Flush != ShmFlushMode.None)
        {
            _promised[lane] = _written[lane].Count;
        }
    }

    private void LeaveConsumer()
    {
        _consumer?.Dispose();
        _consumer = null;
    }

    /// <summary>All processes die; nothing is lost, and nothing more is on the disk than was.</summary>
    private void Kill()
    {
        _disk.Look();
        Abandon();
        _disk.IsOff = false;
        Write(_disk.Newest);
        _disk.MoveTo(FilePath);
        _channel = Attach();
        long[] next = [-1, -1];
        using ByteConsumer reader = Consumer();
        while (reader.TryRead(out ShmRecord record))
        {
            int lane = record.Lane;
            Assert.True(record.Payload.SequenceEqual(_written[lane][(int)record.Sequence]));
            next[lane] = record.Sequence + 1;
        }

        Assert.All(Enumerable.Range(0, Lanes), lane => Assert.True(next[lane] == -1 || next[lane] == _written[lane].Count));
    }

    /// <summary>A lane's producer, made when there is none; whichever lane it gets.</summary>
    private ChannelProducer Producer(ref int lane)
    {
        if (_producers[lane] is { } known)
        {
            return known;
        }

        ChannelProducer made = _channel.CreateProducer();
        lane = made.Lane;
        return _producers[lane] = made;
    }

    private ByteConsumer Consumer() => new(_channel.CreateConsumer(null));

    private byte[] NextMessage()
    {
        if (_hasOneSize)
        {
            byte[] same = new byte[_largestBytes];
            _random.NextBytes(same);
            return same;
        }

        int most = _random.Next(8) == 0 ? _largestBytes : Math.Min(_largestBytes, 64);
        byte[] message = new byte[_random.Next(20) == 0 ? 0 : _random.Next(sizeof(ulong), most + 1)];
        if (message.Length > 0)
        {
            _random.NextBytes(message);
            BitConverter.TryWriteBytes(message, ++_lastId);
        }

        return message;
    }

    private ChannelAttachment Attach() => new(Name, "bytes", 0, _options with { }, ChannelOpenMode.Open);

    /// <summary>Lets go of everything that a dead process had; what that does, it does to a file that nobody looks at any more.</summary>
    private void Abandon()
    {
        _disk.IsOff = true;
        File.Delete(FilePath);
        for (int lane = 0; lane < Lanes; lane++)
        {
            try
            {
                _producers[lane]?.Dispose();
            }
            catch (ShmException)
            {
                // The power went while it flushed, and it remembers.
            }

            _producers[lane] = null;
        }

        LeaveConsumer();
        _channel.Dispose();
    }

    private void Write(byte[] image)
    {
        File.WriteAllBytes(FilePath, image);
        File.SetUnixFileMode(FilePath, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
