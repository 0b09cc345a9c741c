// Reads ShmIpcOptions from a configuration section, by generated code (EnableConfigurationBindingGenerator). A misspelt key is an error.

using Microsoft.Extensions.Configuration;
using ShmIpc.Channels;

namespace ShmIpc.Hosting;

internal static class ShmIpcConfiguration
{
    private static readonly string[] _rootKeys = [nameof(ShmIpcOptions.Root), nameof(ShmIpcOptions.Channels)];

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
        try
        {
            return section.Get<ShmChannelOptions>(binder => binder.ErrorOnUnknownConfiguration = true) ?? new ShmChannelOptions();
        }
        catch (InvalidOperationException error)
        {
            throw new InvalidOperationException($"The configuration section '{section.Path}' cannot be used: {error.Message}", error);
        }
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
