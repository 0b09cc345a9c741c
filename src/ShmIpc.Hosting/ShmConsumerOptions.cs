using ShmIpc.Channels;

namespace ShmIpc.Hosting;

/// <summary>How one hosted consumer behaves. Read from the configuration section <c>Consumer</c> of its channel, set from code, or
/// both.</summary>
/// <remarks>Whatever the options say, a message that cannot be decoded is logged with its position and skipped, and an eviction, a deleted
/// channel or damaged shared memory fails the consumer, which stops the host. A consumer in a named group acknowledges a message when its
/// handler has returned: one whose handler did not, because the process died, is delivered again.</remarks>
/// <example>
/// <code>
/// "ShmIpc": { "Channels": { "jobs": { "Consumer": { "Group": "workers", "Kind": "Shared", "Durable": true } } } }
/// </code>
/// </example>
public sealed record ShmConsumerOptions
{
    /// <summary>What happens when the handler throws. Default: <see cref="HandlerErrorBehavior.Stop"/>, which stops the host.</summary>
    public HandlerErrorBehavior OnHandlerError { get; set; } = HandlerErrorBehavior.Stop;

    /// <summary>Whether the consumer ends when its producers have completed the channel and everything is read. Default: false, it stays
    /// for producers to come. The host goes on without it; but when a producer completed with an error, the consumer fails with that error
    /// (<see cref="ShmRemoteException"/>), and the host stops, so that nobody takes a broken-off stream for a whole one.</summary>
    public bool StopOnCompletion { get; set; }

    /// <summary>Name of the group to join, 1 to 127 bytes of UTF-8; made when there is none. Default: null, a group of its own, which sees
    /// every message.</summary>
    public string? Group { get; set; }

    /// <summary>How the members of the named group share its messages. Shared: a pool of workers, each message is handled by one of them.
    /// Default: <see cref="GroupKind.Exclusive"/>, one handles and the others stand by.</summary>
    public GroupKind Kind { get; set; } = GroupKind.Exclusive;

    /// <summary>True: the named group stays, and keeps its messages, while no host with a member runs. Default: false.</summary>
    public bool Durable { get; set; }

    /// <summary>Where a group starts that is made by this consumer. Default: <see cref="StartPosition.Earliest"/>.</summary>
    public StartPosition Start { get; set; } = StartPosition.Earliest;

    /// <summary>The same for the channel. In a group of its own nobody would get a message again, so there the cheaper way does.</summary>
    internal ConsumerOptions ToConsumerOptions() => new()
    {
        Group = Group,
        Kind = Kind,
        Durable = Durable,
        Start = Start,
        Acknowledge = Group is null ? AcknowledgeMode.Auto : AcknowledgeMode.Manual,
    };

    /// <exception cref="ArgumentException">An option is out of range, or does not go with another; the message says which.</exception>
    internal void Validate()
    {
        if (!Enum.IsDefined(OnHandlerError))
        {
            throw new ArgumentOutOfRangeException(nameof(OnHandlerError), OnHandlerError, "OnHandlerError must be Stop or Continue.");
        }

        ToConsumerOptions().Validate();
    }
}
