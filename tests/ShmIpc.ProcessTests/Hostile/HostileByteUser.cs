// Producers, consumers of every kind, and an onlooker of a channel of bytes, in one process.

using ShmIpc.Channels;

namespace ShmIpc.ProcessTests.Hostile;

internal sealed class HostileByteUser : HostileUser
{
    private const int MostProducers = 2;
    private const int MostConsumers = 5;
    private readonly ShmChannelOptions _options;
    private readonly List<ByteProducer> _producers = [];
    private readonly List<(ByteConsumer Consumer, bool IsWhole)> _consumers = [];
    private ShmByteChannel? _channel;

    public HostileByteUser(ShmChannelOptions options, Random random, Outcomes outcomes)
        : base(random, outcomes)
    {
        _options = options;
        Outcomes.Try("Open", () => _channel = ShmByteChannel.Open(HostileKind.Region, _options));
    }

    public override bool IsOpen => _channel is not null;

    public override void Step()
    {
        if (_channel is null)
        {
            Outcomes.Try("Open", () => _channel = ShmByteChannel.Open(HostileKind.Region, _options));
            return;
        }

        switch (Random.Next(5))
        {
            case 0: StepChannel(_channel); break;
            case 1 or 2 when _producers.Count > 0: StepProducer(Random.Next(_producers.Count)); break;
            case 1 or 2: Join(_channel); break;
            case 3 or 4 when _consumers.Count > 0: StepConsumer(Random.Next(_consumers.Count)); break;
            default: Join(_channel); break;
        }
    }

    public override void Dispose()
    {
        while (_consumers.Count > 0)
        {
            EndConsumer(0);
        }

        while (_producers.Count > 0)
        {
            EndProducer(0);
        }

        if (_channel is not null && !Outcomes.Try("channel.Dispose", _channel.Dispose))
        {
            throw new InvalidOperationException($"{Outcomes.Case}: disposing a channel failed.");
        }

        _channel = null;
    }

    private void StepChannel(ShmByteChannel channel)
    {
        switch (Random.Next(9))
        {
            case 0:
                Outcomes.Try("Groups", () => GC.KeepAlive(channel.Groups.Sum(group => group.Lag + group.Members.Count + group.InFlight)));
                break;
            case 1:
                Outcomes.Try("counts", () => GC.KeepAlive(channel.ProducerCount + channel.ConsumerCount + channel.DroppedMessages));
                break;
            case 2 when Random.Next(4) == 0: Outcomes.Try("DeleteGroup", () => channel.DeleteGroup(AnyGroup())); break;
            case 3: Outcomes.Try("Open again", () => ShmByteChannel.Open(HostileKind.Region, _options).Dispose()); break;
            case 4 when Random.Next(8) == 0:
                Dispose();
                break;
            case 5 when _consumers.Count > 0:
                Outcomes.Try("WaitAny", () => ShmChannel.WaitAny([.. _consumers.Select(pair => (IShmConsumer)pair.Consumer)], Soon()));
                break;
            case 6 when _consumers.Count > 0:
                Await("WaitAnyAsync", end =>
                    ShmChannel.WaitAnyAsync([.. _consumers.Select(pair => (IShmConsumer)pair.Consumer)], end).AsTask());
                break;
            default: Join(channel); break;
        }
    }

    private string AnyGroup() => Random.Next(3) switch { 0 => "audit", 1 => "workers", _ => "stand-by" };

    private void Join(ShmByteChannel channel)
    {
        int what = Random.Next(8);
        if (what < 3)
        {
            if (_producers.Count == MostProducers)
            {
                EndProducer(0);
            }

            Outcomes.Try("CreateProducer", () => _producers.Add(what == 0 ? channel.CreateProducer(Soon()) : channel.CreateProducer()));
            return;
        }

        if (_consumers.Count == MostConsumers)
        {
            EndConsumer(0);
        }

        if (what == 3)
        {
            Outcomes.Try("CreateObserver", () => _consumers.Add((channel.CreateObserver((StartPosition)Random.Next(2)), true)));
            return;
        }

        bool isNamed = what > 5;
        bool isShared = isNamed && Random.Next(2) == 0 && channel.FullMode != ShmFullMode.DropOldest;
        bool isManual = Random.Next(2) == 0;
        ConsumerOptions options = new()
        {
            Group = !isNamed ? null : isShared ? "workers" : Random.Next(2) == 0 ? "audit" : "stand-by",
            Kind = isShared ? GroupKind.Shared : GroupKind.Exclusive,
            Durable = isNamed && Random.Next(8) != 0,
            Start = (StartPosition)Random.Next(2),
            Acknowledge = isManual ? AcknowledgeMode.Manual : AcknowledgeMode.Auto,
            MaxInFlight = isManual ? Random.Next(1, 9) : 1,
        };
        Outcomes.Try(
            $"CreateConsumer({options.Group}, {options.Kind})",
            () => _consumers.Add((channel.CreateConsumer(options), !isShared && !isManual)));
    }

    private void StepProducer(int index)
    {
        ByteProducer producer = _producers[index];
        byte[] payload = new byte[Random.Next(4) == 0 ? Random.Next(producer.MaxMessageBytes + 1) : Random.Next(200)];
        Random.NextBytes(payload);
        bool isFine = true;
        switch (Random.Next(10))
        {
            case < 3: isFine = Outcomes.Try("TryWrite", () => producer.TryWrite(payload)); break;
            case 3: Outcomes.Try("Write", () => producer.Write(payload, Soon())); break;
            case 4: isFine = Outcomes.Try("TryClaim", () => Claim(producer, payload)); break;
            case 5: isFine = Outcomes.Try("BeginBatch", () => Batch(producer, payload)); break;
            case 6:
                Outcomes.Try("TryWriteBatch", () => producer.TryWriteBatch([payload.AsMemory(0, payload.Length / 2), payload, default]));
                break;
            case 7: Await("WriteAsync", end => producer.WriteAsync(payload, end).AsTask()); break;
            case 8 when Random.Next(10) == 0:
                Outcomes.Try("TryComplete", () => producer.TryComplete(Random.Next(2) == 0 ? null : new IOException("gone")));
                break;
            case 9 when Random.Next(4) == 0: isFine = false; break;
            default: Outcomes.Try("DroppedMessages", () => GC.KeepAlive(producer.DroppedMessages)); break;
        }

        if (!isFine)
        {
            EndProducer(index);
        }
    }

    private void Claim(ByteProducer producer, byte[] payload)
    {
        if (producer.TryClaim(payload.Length, out Claim claim))
        {
            payload.CopyTo(claim.Span);
            if (Random.Next(4) != 0)
            {
                claim.Commit(Random.Next(payload.Length + 1));
            }

            claim.Dispose();
        }
    }

    private void Batch(ByteProducer producer, byte[] payload)
    {
        using Batch batch = producer.BeginBatch();
        for (int i = Random.Next(5); i > 0; i--)
        {
            batch.TryWrite(payload);
        }

        if (Random.Next(3) != 0)
        {
            batch.Publish();
        }
    }

    private void StepConsumer(int index)
    {
        (ByteConsumer consumer, bool isWhole) = _consumers[index];
        bool isFine = true;
        switch (Random.Next(12))
        {
            case < 4: isFine = Outcomes.Try("TryRead", () => TakeSome(consumer)); break;
            case 4: Outcomes.Try("Read", () => Touch(consumer.Read(Soon()).Payload)); break;
            case 5 when isWhole: isFine = Outcomes.Try("TryReadBatch", () => TakeBatch(consumer)); break;
            case 6: Outcomes.Try("WaitToRead", () => consumer.WaitToRead(Soon())); break;
            case 7: Await("WaitToReadAsync", end => consumer.WaitToReadAsync(end).AsTask()); break;
            case 8: Outcomes.Try("Count", () => GC.KeepAlive(consumer.Count + consumer.LostMessages + (consumer.IsActive ? 1 : 0))); break;
            case 9: isFine = Outcomes.Try("Release", consumer.Release); break;
            case 10 when Random.Next(4) == 0: isFine = false; break;
            default: isFine = Outcomes.Try("TryRead", () => TakeSome(consumer)); break;
        }

        if (!isFine && Random.Next(2) == 0)
        {
            EndConsumer(index);
        }
    }

    private void TakeSome(ByteConsumer consumer)
    {
        for (int i = Random.Next(1, 6); i > 0 && consumer.TryRead(out ShmRecord record); i--)
        {
            Touch(record.Payload);
            if (Random.Next(2) == 0)
            {
                consumer.Acknowledge(record);
            }
        }
    }

    private void TakeBatch(ByteConsumer consumer)
    {
        if (consumer.TryReadBatch(Random.Next(1, 100), out RecordBatch batch))
        {
            using RecordBatch open = batch;
            foreach (ShmRecord record in open)
            {
                Touch(record.Payload);
            }
        }
    }

    private void EndProducer(int index)
    {
        ByteProducer producer = _producers[index];
        _producers.RemoveAt(index);
        if (!Outcomes.Try("producer.Dispose", producer.Dispose))
        {
            throw new InvalidOperationException($"{Outcomes.Case}: disposing a producer failed.");
        }
    }

    private void EndConsumer(int index)
    {
        ByteConsumer consumer = _consumers[index].Consumer;
        _consumers.RemoveAt(index);
        if (!Outcomes.Try("consumer.Dispose", consumer.Dispose))
        {
            throw new InvalidOperationException($"{Outcomes.Case}: disposing a consumer failed.");
        }
    }
}
