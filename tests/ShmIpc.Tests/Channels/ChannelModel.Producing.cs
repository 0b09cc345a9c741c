// What producers do. Whether there is room follows from the bounds that the model knows of every group's cursor.

using System.Threading.Channels;
using ShmIpc.Channels;
using Xunit;

namespace ShmIpc.Tests.Channels;

internal sealed partial class ChannelModel
{
    private const int TerminatorBytes = 8;
    private const int LeastTypedRoomBytes = 256; // a typed producer looks for so much before it serializes

    /// <summary>Nobody holds a producer back; the oldest messages make room.</summary>
    private bool IsUngated => _mode == ShmFullMode.DropOldest || _groups.Count == 0;

    private void CreateProducer(int choice)
    {
        bool isTyped = choice % 3 == 0;
        ModelLane? free = _lanes.Find(lane => lane.Owner is null);
        if (free is null || UsedSlots == MaxParticipants)
        {
            Assert.Throws<ShmLimitException>(() => isTyped ? (IDisposable)_typed.CreateProducer() : _bytes.CreateProducer());
            Assert.Throws<TimeoutException>(() => _bytes.CreateProducer(TimeSpan.Zero));
            return;
        }

        Producer<byte[]>? typed = isTyped ? _typed.CreateProducer() : null; // does not say which lane it has: the first that is free
        ByteProducer? bytes = isTyped ? null : choice % 2 == 0 ? _bytes.CreateProducer() : _bytes.CreateProducer(TimeSpan.Zero);
        ModelLane lane = bytes is null ? free : _lanes[bytes.Lane];
        Assert.Null(lane.Owner);
        lane.Owner = new ModelProducer(bytes, typed, lane);
        lane.IsAllocated = true;
        _producers.Add(lane.Owner);
    }

    private void DisposeProducer(ModelProducer producer)
    {
        producer.Dispose();
        producer.Lane.Owner = null;
        _producers.Remove(producer);
    }

    private void Complete(ModelProducer producer, bool withError)
    {
        string? fault = withError ? $"fault {++_salt}" : null;
        Assert.Equal(!producer.IsCompleted, producer.TryComplete(fault is null ? null : new InvalidOperationException(fault)));
        if (!producer.IsCompleted)
        {
            producer.IsCompleted = _isAnyCompleted = true;
            producer.Lane.Fault = fault;
        }
    }

    private void Write(ModelProducer producer, int bytes, int choice)
    {
        byte[] payload = NextPayload(bytes);
        if (bytes > MaxMessageBytes && !producer.IsCompleted)
        {
            Assert.Throws<ShmMessageTooLargeException>(() => producer.TryWrite(payload));
            Look(producer, bytes);
            return;
        }

        bool? room = Look(producer, bytes);
        bool mustWrite = room == true && !producer.IsCompleted;
        bool isWritten = true;
        if (mustWrite && choice % 4 == 0)
        {
            producer.WriteAsynchronously(payload);
        }
        else
        {
            isWritten = choice % 4 == 1 && bytes <= MaxMessageBytes ? producer.WriteAtOnce(payload) : producer.TryWrite(payload);
        }

        long dropped = producer.DroppedMessages - producer.Dropped;
        if (producer.IsCompleted)
        {
            Assert.Equal((false, 0), (isWritten, dropped));
            return;
        }

        bool isPublished = isWritten && dropped == 0;
        CompareRoom(room, isPublished);
        if (isPublished)
        {
            Append(producer.Lane, payload);
            return;
        }

        Assert.Equal(_mode == ShmFullMode.DropWrite ? (true, 1) : (false, 0), (isWritten, dropped));
        producer.Dropped += dropped;
        _dropped += dropped;
    }

    private void Claim(ModelProducer producer, int bytes, int choice)
    {
        if (bytes > MaxMessageBytes && !producer.IsCompleted)
        {
            Assert.Throws<ShmMessageTooLargeException>(() => producer.Bytes!.TryClaim(bytes, out _));
            return;
        }

        bool? room = producer.IsCompleted ? false : Look(producer, bytes);
        bool isClaimed = producer.Bytes!.TryClaim(bytes, out Claim claim);
        CompareRoom(room, isClaimed);
        if (isClaimed)
        {
            Assert.Equal(bytes, claim.Span.Length);
            claim.Span.Fill(0xEE);
            Assert.Throws<InvalidOperationException>(() => producer.TryWrite([]));
            int published = choice % 8 == 0 ? -1 : bytes * (choice % 8) / 7;
            if (published >= 0)
            {
                byte[] payload = NextPayload(published);
                payload.CopyTo(claim.Span);
                claim.Commit(published);
                Append(producer.Lane, payload);
            }

            claim.Dispose();
        }
    }

    private void WriteOpenBatch(ModelProducer producer, int bytes, int choice)
    {
        if (producer.IsCompleted)
        {
            Assert.Throws<ChannelClosedException>(() => producer.Bytes!.BeginBatch());
            return;
        }

        List<byte[]> payloads = [];
        using (Batch batch = producer.Bytes!.BeginBatch())
        {
            long batchBytes = 0;
            foreach (int size in Sizes(bytes, choice))
            {
                byte[] payload = NextPayload(size);
                bool? room = Look(producer, size, batchBytes);
                bool isTooLarge = batchBytes + ModelLane.RecordBytes(size) > producer.Bytes.MaxBatchBytes;
                bool isAdded = false;
                try
                {
                    if (size % 3 == 0)
                    {
                        isAdded = batch.TryClaim(size, out Claim claim);
                        payload.CopyTo(isAdded ? claim.Span : new byte[size]);
                        if (isAdded)
                        {
                            claim.Commit(size);
                        }
                    }
                    else
                    {
                        isAdded = batch.TryWrite(payload);
                    }

                    Assert.False(isTooLarge);
                }
                catch (ShmBatchTooLargeException)
                {
                    Assert.True(isTooLarge);
                }

                CompareRoom(room, isAdded);
                if (isAdded)
                {
                    payloads.Add(payload);
                    batchBytes += ModelLane.RecordBytes(size);
                }
            }

            foreach (ModelMember member in _members.Where(member => !member.IsLossy))
            {
                Look(member); // sees nothing of the batch
            }

            if (choice % 4 == 0)
            {
                batch.Abort();
                return;
            }

            batch.Publish();
        }

        payloads.ForEach(payload => Append(producer.Lane, payload));
    }

    private void WriteBatch(ModelProducer producer, int bytes, int choice)
    {
        byte[][] payloads = [.. Sizes(bytes, choice).Select(NextPayload)];
        long total = payloads.Sum(payload => ModelLane.RecordBytes(payload.Length));
        bool? room = true;
        long batchBytes = 0;
        foreach (byte[] payload in payloads)
        {
            bool? roomForThis = Look(producer, payload.Length, batchBytes);
            room = room == false || roomForThis == false ? false : room is null ? null : roomForThis;
            batchBytes += ModelLane.RecordBytes(payload.Length);
        }

        room = producer.IsCompleted ? false : room;
        bool isPublished = false;
        try
        {
            isPublished = producer.TryWriteBatch(payloads);
            Assert.True(total <= CapacityBytes - TerminatorBytes || !isPublished);
        }
        catch (ShmBatchTooLargeException)
        {
            Assert.True(total > CapacityBytes - TerminatorBytes);
        }

        CompareRoom(room, isPublished);
        if (isPublished)
        {
            Array.ForEach(payloads, payload => Append(producer.Lane, payload));
        }
    }

    /// <summary>One to five sizes, none too large for a message.</summary>
    private static IEnumerable<int> Sizes(int bytes, int choice) =>
        Enumerable.Range(1, 1 + (choice % 5)).Select(number => bytes * number * 7 % (MaxMessageBytes / (1 + (choice % 3))));

    private byte[] NextPayload(int bytes)
    {
        byte[] payload = new byte[bytes];
        new Random(++_salt).NextBytes(payload);
        return payload;
    }

    private void Append(ModelLane lane, byte[] payload)
    {
        lane.Append(payload);
        _published++;
    }

    private static void CompareRoom(bool? expected, bool isThere)
    {
        if (expected is { } isRoom)
        {
            Assert.True(isRoom == isThere, $"The model says that there is {(isRoom ? "" : "no ")}room, the channel does not.");
        }
    }

    /// <summary>Whether there is room for a message (behind those of an open batch); null when that is the library's freedom. Knows that
    /// the producer looks, too, and may move the floor.</summary>
    private bool? Look(ModelProducer producer, int payloadBytes, long batchBytes = 0)
    {
        ModelLane lane = producer.Lane;
        if (producer.Bytes is null)
        {
            MoveFloor(lane, Math.Max(payloadBytes, LeastTypedRoomBytes), batchBytes);
        }

        long end = MoveFloor(lane, payloadBytes, batchBytes);
        long lower = IsUngated ? lane.Position : _groups.Min(group => group.LowerPosition(lane));
        long upper = IsUngated ? lane.Position : _groups.Min(group => group.UpperPosition(lane));
        return end <= lower + CapacityBytes ? true : end > upper + CapacityBytes ? false : null;
    }

    private long MoveFloor(ModelLane lane, int payloadBytes, long batchBytes)
    {
        long end = lane.Position + batchBytes + ModelLane.RecordBytes(payloadBytes) + TerminatorBytes;
        lane.RaiseFloorBound(IsUngated
            ? lane.PositionOf(lane.SequenceAt(end - CapacityBytes + (CapacityBytes / 8)))
            : _groups.Min(group => group.UpperPosition(lane)));
        return end;
    }
}
