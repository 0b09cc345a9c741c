using ShmIpc.Regions;
using ShmIpc.Waiting;

namespace ShmIpc.Values;

/// <summary>How a shared value is created, and what is expected of one that is opened.</summary>
/// <remarks><see cref="MaxValueBytes"/> and <see cref="MaxParticipants"/> are fixed when the value is created. An opener that sets one of
/// them gets an exception when the value has another; one that leaves it null takes the value as it is.</remarks>
public sealed record SharedValueOptions
{
    internal const int DefaultMaxValueBytes = 4096;
    internal const int DefaultMaxParticipants = 64;

    /// <summary>Largest serialized value in bytes, 1 to 67108864 (64 MiB). Null: 4096 when the value is created.</summary>
    /// <remarks>Four times as much shared memory is taken when the value is created.</remarks>
    public int? MaxValueBytes { get; set; }

    /// <summary>Most participants at a time, 2 to 256: the writer, and every <see cref="SharedValue{T}"/> object that has ever waited for a
    /// change and is not disposed. Reading takes no place. Null: 64 when the value is created.</summary>
    public int? MaxParticipants { get; set; }

    /// <summary>Directory that holds the value. Null: the environment variable <c>SHMIPC_ROOT</c>, else <c>/dev/shm/shmipc-UID</c>.
    /// </summary>
    /// <remarks>A directory of mode 2770 is shared by its group; any other must belong to this user alone.</remarks>
    public string? Root { get; set; }

    /// <summary>How this process waits for changes. Not part of the value: each side chooses its own. Default:
    /// <see cref="WaitStrategy.Adaptive"/>.</summary>
    public WaitStrategy WaitStrategy { get; set; } = WaitStrategy.Adaptive;

    /// <summary>Checks every option against its range. Opening a value does so too.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range; the message holds its name, its value and the
    /// range.</exception>
    public void Validate()
    {
        Check(nameof(MaxValueBytes), MaxValueBytes, 1, ValueLayout.MaxValueBytes);
        Check(nameof(MaxParticipants), MaxParticipants, 2, ParticipantLayout.MaxSlots);
        if (!Enum.IsDefined(WaitStrategy))
        {
            throw new ArgumentOutOfRangeException(nameof(WaitStrategy), WaitStrategy, "WaitStrategy must be Adaptive, BusySpin or Park.");
        }

        static void Check(string option, int? value, int least, int most)
        {
            if (value is { } number && (number < least || number > most))
            {
                throw new ArgumentOutOfRangeException(option, number, $"{option} must be from {least} to {most}.");
            }
        }
    }
}
