// Reads ShmIpcOptions from a configuration section. The values are converted by generated code (EnableConfigurationBindingGenerator);
// the object is put together here, because generated code passes over init-only properties in silence, and so that a misspelt key is an
// error.

using Microsoft.Extensions.Configuration;
using ShmIpc.Channels;
using ShmIpc.Waiting;

namespace ShmIpc.Hosting;

internal static class ShmIpcConfiguration
{
    private static readonly string[] _rootKeys = [nameof(ShmIpcOptions.Root), nameof(ShmIpcOptions.Channels)];
    private static readonly string[] _channelKeys =
    [
        nameof(ShmChannelOptions.LaneCapacityBytes),
        nameof(ShmChannelOptions.MaxProducers),
        nameof(ShmChannelOptions.MaxGroups),
        nameof(ShmChannelOptions.MaxParticipants),
        nameof(ShmChannelOptions.Root),
        nameof(ShmChannelOptions.WaitStrategy),
    ];

    /// <summary>Sets what the section holds, and leaves the rest.</summary>
    /// <exception cref="InvalidOperationException">A key is not known, or its value cannot be converted; the message says
    /// which.</exception>
    public static void Read(IConfiguration section, ShmIpcOptions options)
    {
        CheckKeys(section, _rootKeys);
        options.Root = section[nameof(options.Root)] ?? options.Root;
        foreach (IConfigurationSection channel in section.GetSection(nameof(options.Channels)).GetChildren())
        {
            options.Channels[channel.Key] = ReadChannel(channel);
        }
    }

    private static ShmChannelOptions ReadChannel(IConfigurationSection section)
    {
        CheckKeys(section, _channelKeys);
        return new ShmChannelOptions
        {
            LaneCapacityBytes = section.GetValue<long?>(nameof(ShmChannelOptions.LaneCapacityBytes)),
            MaxProducers = section.GetValue<int?>(nameof(ShmChannelOptions.MaxProducers)),
            MaxGroups = section.GetValue<int?>(nameof(ShmChannelOptions.MaxGroups)),
            MaxParticipants = section.GetValue<int?>(nameof(ShmChannelOptions.MaxParticipants)),
            Root = section[nameof(ShmChannelOptions.Root)],
            WaitStrategy = section.GetValue<WaitStrategy>(nameof(ShmChannelOptions.WaitStrategy)),
        };
    }

    private static void CheckKeys(IConfiguration section, string[] known)
    {
        foreach (IConfigurationSection child in section.GetChildren())
        {
            if (!known.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
            {
                throw new InvalidOperationException(
                    $"The configuration key '{child.Path}' is not known to ShmIpc. Known here: {string.Join(", ", known)}.");
            }
        }
    }
}
