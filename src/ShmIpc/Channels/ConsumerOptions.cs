using System.Text;

namespace ShmIpc.Channels;

/// <summary>How a consumer takes part in a channel. Without options it is a group of its own: it sees every message.</summary>
public sealed record ConsumerOptions
{
    internal const int MaxNameBytes = 127;

    /// <summary>Name of the group to join, 1 to 127 bytes of UTF-8; made when there is none. Null: a group of its own, for as long as the
    /// consumer lives.</summary>
    public string? Group { get; set; }

    /// <summary>How the members of the named group share its messages; fixed when the group is made. Default:
    /// <see cref="GroupKind.Exclusive"/>.</summary>
    public GroupKind Kind { get; set; } = GroupKind.Exclusive;

    /// <summary>True: the group stays when its last member leaves or dies, and producers keep its messages for it, until it is deleted
    /// with <c>DeleteGroup</c>. Fixed when the group is made. Default: false.</summary>
    public bool Durable { get; set; }

    /// <summary>Where a group starts that is made by this consumer. Default: <see cref="StartPosition.Earliest"/>.</summary>
    public StartPosition Start { get; set; } = StartPosition.Earliest;

    /// <summary>When a message counts as finished with. Default: <see cref="AcknowledgeMode.Auto"/>.</summary>
    public AcknowledgeMode Acknowledge { get; set; } = AcknowledgeMode.Auto;

    /// <summary>Most messages that this consumer holds without having acknowledged them, 1 to 8; more than 1 needs
    /// <see cref="AcknowledgeMode.Manual"/>. Default: 1.</summary>
    public int MaxInFlight { get; set; } = 1;

    /// <summary>Checks every option against its range. Creating a consumer does so too.</summary>
    /// <exception cref="ArgumentException">An option is out of range, or does not go with another; the message says which.</exception>
    public void Validate()
    {
        if (Group is not null && (Group.Length == 0 || Encoding.UTF8.GetByteCount(Group) > MaxNameBytes))
        {
            throw new ArgumentException(
                $"The group's name \"{Group}\" must have 1 to {MaxNameBytes} bytes of UTF-8. Null makes a group of the consumer's own.",
                nameof(Group));
        }

        CheckDefined(Kind, nameof(Kind));
        CheckDefined(Start, nameof(Start));
        CheckDefined(Acknowledge, nameof(Acknowledge));
        if (Group is null && (Durable || Kind == GroupKind.Shared))
        {
            throw new ArgumentException("A durable or shared group needs a name: set Group.", nameof(Group));
        }

        if (MaxInFlight is < 1 or > Rings.ClaimTable.MaxIntents)
        {
            throw new ArgumentOutOfRangeException(
                nameof(MaxInFlight), MaxInFlight, $"MaxInFlight must be from 1 to {Rings.ClaimTable.MaxIntents}.");
        }

        if (MaxInFlight > 1 && Acknowledge == AcknowledgeMode.Auto)
        {
            throw new ArgumentException(
                "With automatic acknowledgement one message is in flight. Set Acknowledge to Manual, or leave MaxInFlight at 1.",
                nameof(MaxInFlight));
        }

        static void CheckDefined<T>(T value, string option)
            where T : struct, Enum
        {
            if (!Enum.IsDefined(value))
            {
                throw new ArgumentOutOfRangeException(option, value, $"{option} must be {string.Join(" or ", Enum.GetNames<T>())}.");
            }
        }
    }
}
