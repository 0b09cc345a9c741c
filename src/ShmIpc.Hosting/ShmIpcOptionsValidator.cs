// Checks ShmIpcOptions before any channel is opened, so that a wrong setting ends the start of the host with its configuration key, its
// value and what is allowed. It knows the limits of the settings and nothing of what stands in shared memory.

using System.Numerics;
using Microsoft.Extensions.Options;
using ShmIpc.Channels;
using ShmIpc.Waiting;

namespace ShmIpc.Hosting;

internal sealed class ShmIpcOptionsValidator : IValidateOptions<ShmIpcOptions>
{
    private const long MinLaneCapacityBytes = 4096;
    private const long MaxLaneCapacityBytes = 512L * 1024 * 1024;

    public ValidateOptionsResult Validate(string? name, ShmIpcOptions options)
    {
        var failures = new List<string>();
        CheckRoot(failures, nameof(ShmIpcOptions.Root), options.Root);
        foreach ((string channel, ShmChannelOptions channelOptions) in options.Channels)
        {
            Check(failures, $"{nameof(ShmIpcOptions.Channels)}:{channel}:", channelOptions);
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static void Check(List<string> failures, string key, ShmChannelOptions options)
    {
        if (options.LaneCapacityBytes is { } capacity
            && (capacity is < MinLaneCapacityBytes or > MaxLaneCapacityBytes || !BitOperations.IsPow2(capacity)))
        {
            Fail(failures, key + nameof(options.LaneCapacityBytes), capacity,
                $"a power of two from {MinLaneCapacityBytes} to {MaxLaneCapacityBytes}");
        }

        CheckRange(failures, key + nameof(options.MaxProducers), options.MaxProducers, 1, 32);
        CheckRange(failures, key + nameof(options.MaxGroups), options.MaxGroups, 1, 64);
        CheckRange(failures, key + nameof(options.MaxParticipants), options.MaxParticipants, 2, 256);
        if (!Enum.IsDefined(options.WaitStrategy))
        {
            Fail(failures, key + nameof(options.WaitStrategy), options.WaitStrategy,
                $"one of {string.Join(", ", Enum.GetNames<WaitStrategy>())}");
        }

        CheckRoot(failures, key + nameof(options.Root), options.Root);
    }

    private static void CheckRange(List<string> failures, string key, int? value, int min, int max)
    {
        if (value < min || value > max) Fail(failures, key, value, $"from {min} to {max}");
    }

    private static void CheckRoot(List<string> failures, string key, string? root)
    {
        if (root is not null && !Path.IsPathRooted(root)) Fail(failures, key, $"'{root}'", "the absolute path of a directory");
    }

    private static void Fail(List<string> failures, string key, object? value, string allowed) =>
        failures.Add($"The ShmIpc option {key} is {value}, but must be {allowed}.");
}
