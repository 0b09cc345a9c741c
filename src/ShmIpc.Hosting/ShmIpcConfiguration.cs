// Reads ShmIpcOptions from a configuration section, by generated code (EnableConfigurationBindingGenerator). A misspelt key is an error.

using Microsoft.Extensions.Configuration;
using ShmIpc.Channels;

namespace ShmIpc.Hosting;

internal static class ShmIpcConfiguration
{
    private const string ConsumerKey = "Consumer";
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
            var own = new SectionWithout(channel, ConsumerKey);
            options.Channels[channel.Key] =
                Named(channel, () => own.Get<ShmChannelOptions>(binder => binder.ErrorOnUnknownConfiguration = true)) ?? new();
            IConfigurationSection consumer = channel.GetSection(ConsumerKey);
            if (consumer.Exists())
            {
                options.Consumers[channel.Key] =
                    Named(consumer, () => consumer.Get<ShmConsumerOptions>(binder => binder.ErrorOnUnknownConfiguration = true)) ?? new();
            }
        }
    }

    private static T Named<T>(IConfigurationSection section, Func<T> read)
    {
        try
        {
            return read();
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
