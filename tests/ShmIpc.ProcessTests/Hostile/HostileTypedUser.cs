// A producer and consumers of a channel of objects: garbage has to pass a serializer, too.

using ShmIpc.Channels;

namespace ShmIpc.ProcessTests.Hostile;

internal sealed class HostileTypedUser : HostileUser
{
    private readonly ShmChannelOptions _options;
    private ShmChannel<string[]>? _channel;
    private Producer<string[]>? _producer;
    private Consumer<string[]>? _consumer;

    public HostileTypedUser(ShmChannelOptions options, Random random, Outcomes outcomes)
        : base(random, outcomes)
    {
        _options = options;
        Open();
    }

    public override bool IsOpen => _channel is not null;

    public override void Step()
    {
        if (_channel is null)
        {
            Open();
            return;
        }

        string[] message = [.. Enumerable.Repeat("word", Random.Next(20))];
        switch (Random.Next(12))
        {
            case 0 or 1: JoinAsProducer(_channel); break;
            case 2 or 3: JoinAsConsumer(_channel); break;
            case 4 or 5 when _producer is not null: Outcomes.Try("TryWrite", () => _producer.TryWrite(message)); break;
            case 6 when _producer is not null: Await("WriteAsync", end => _producer.WriteAsync(message, end).AsTask()); break;
            case 7 or 8 when _consumer is not null: Outcomes.Try("TryRead", () => _consumer.TryRead(out _)); break;
            case 9 when _consumer is not null: Outcomes.Try("Receive", () => _consumer.Receive(Soon()).Acknowledge()); break;
            case 10 when _consumer is not null: Await("WaitToReadAsync", end => _consumer.WaitToReadAsync(end).AsTask()); break;
            case 11 when Random.Next(4) == 0: Dispose(); break;
            default: Outcomes.Try("Groups", () => GC.KeepAlive(_channel.Groups.Sum(group => group.Lag))); break;
        }
    }

    public override void Dispose()
    {
        IDisposable?[] all = [_consumer, _producer, _channel];
        (_consumer, _producer, _channel) = (null, null, null);
        foreach (IDisposable? one in all)
        {
            if (one is not null && !Outcomes.Try("Dispose", one.Dispose))
            {
                throw new InvalidOperationException($"{Outcomes.Case}: disposing a {one.GetType()} failed.");
            }
        }
    }

    private void Open() => Outcomes.Try("Open", () => _channel = ShmChannel.Open<string[]>(HostileKind.Region, _options));

    private void JoinAsProducer(ShmChannel<string[]> channel)
    {
        Outcomes.Try("producer.Dispose", () => _producer?.Dispose());
        _producer = null;
        Outcomes.Try("CreateProducer", () => _producer = channel.CreateProducer());
    }

    private void JoinAsConsumer(ShmChannel<string[]> channel)
    {
        ConsumerOptions? options = Random.Next(3) switch
        {
            0 => null,
            1 => new() { Group = "audit", Durable = true, Acknowledge = AcknowledgeMode.Manual, MaxInFlight = 8 },
            _ => new() { Group = "workers", Kind = GroupKind.Shared },
        };
        Outcomes.Try("consumer.Dispose", () => _consumer?.Dispose());
        _consumer = null;
        Outcomes.Try("CreateConsumer", () => _consumer = channel.CreateConsumer(options));
    }
}
