using ShmIpc.Channels;

namespace ShmIpc.Tests.Channels;

/// <summary>A consumer or observer of the channel's model test: a <see cref="ByteConsumer"/> or a <see cref="Consumer{T}"/>, and what is
/// known of it.</summary>
internal sealed class ModelMember(ByteConsumer? bytes, Consumer<byte[]>? typed, ModelGroup? group, int lanes)
{
    private readonly Consumer<byte[]>? _typed = typed;

    /// <summary>Null for a typed consumer.</summary>
    public ByteConsumer? Bytes { get; } = bytes;

    /// <summary>Null for an observer.</summary>
    public ModelGroup? Group { get; } = group;

    public bool IsManual { get; init; }

    public int MaxInFlight { get; init; } = 1;

    /// <summary>It may be overrun.</summary>
    public bool IsLossy { get; init; }

    public bool HasLeft { get; set; }

    public bool IsReading => Group is null || Group.IsShared || Group.Active == this;

    /// <summary>By lane, the next message that it will read; at the earliest, where it may be overrun.</summary>
    public long[] Next { get; } = new long[lanes];

    /// <summary>By lane, the end of what others were handed before it began, and did not acknowledge.</summary>
    public long[] HandedBefore { get; } = new long[lanes];

    /// <summary>Exclusive: what it has read and not acknowledged by hand.</summary>
    public List<ModelDelivery> InFlight { get; } = [];

    /// <summary>The lane that it read last.</summary>
    public int Lane { get; set; } = -1;

    /// <summary>Messages that it could read when it began, less those that had been published by then.</summary>
    public long Base { get; set; }

    public long ReadCount { get; set; }

    public bool IsCompleted { get; set; }

    /// <summary>Who works on what it left in a shared group.</summary>
    public ModelMember? Heir { get; set; }

    public long Count => Bytes?.Count ?? _typed!.Count;

    public long LostMessages => Bytes?.LostMessages ?? _typed!.LostMessages;

    public bool IsActive => Bytes?.IsActive ?? _typed!.IsActive;

    public string? GroupName => Bytes is null ? _typed!.Group : Bytes.Group;

    public Task Completion => Bytes?.Completion ?? _typed!.Completion;

    /// <summary>The next message by which its cursor is held back in a lane.</summary>
    public long Ceiling(int lane) => Math.Min(
        Next[lane],
        InFlight.Where(delivery => delivery.Lane == lane).Select(delivery => delivery.Sequence).DefaultIfEmpty(long.MaxValue).Min());

    public ModelDelivery? TryRead()
    {
        if (Bytes is not null)
        {
            return Bytes.TryRead(out ShmRecord record) ? ModelDelivery.Of(record) : null;
        }

        return _typed!.TryReceive(out Delivery<byte[]> typed)
            ? new ModelDelivery(typed.Lane, typed.Sequence, -1, typed.DeliveryCount, typed.Message, typed)
            : null;
    }

    public bool WaitToRead() => Bytes?.WaitToRead(TimeSpan.Zero) ?? _typed!.WaitToRead(TimeSpan.Zero);

    public void Acknowledge(ModelDelivery delivery)
    {
        if (Bytes is null)
        {
            delivery.Typed.Acknowledge();
        }
        else
        {
            Bytes.Acknowledge(new ShmRecord([], delivery.Lane, delivery.Position, delivery.Sequence, delivery.Deliveries));
        }
    }

    public void AcknowledgeAll()
    {
        if (Bytes is null)
        {
            _typed!.Acknowledge();
        }
        else
        {
            Bytes.Release();
        }
    }

    public void Dispose()
    {
        Bytes?.Dispose();
        _typed?.Dispose();
    }
}
