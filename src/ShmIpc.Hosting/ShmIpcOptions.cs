using ShmIpc.Channels;

namespace ShmIpc.Hosting;

/// <summary>The settings of every channel of a host. They are read from the configuration section <c>ShmIpc</c>, from code, or from both,
/// and checked when the host starts.</summary>
/// <example>
/// <code>
/// "ShmIpc": {
///   "Root": "/dev/shm/my-app",
///   "Channels": {
///     "quotes": { "LaneCapacityBytes": 4194304, "MaxProducers": 4, "WaitStrategy": "BusySpin" },
///     "jobs": { "RequiredGroups": [ { "Name": "workers", "Kind": "Shared" } ],
///               "Consumer": { "Group": "workers", "Kind": "Shared", "Durable": true } }
///   }
/// }
/// </code>
/// </example>
public sealed class ShmIpcOptions
{
    /// <summary>The configuration section that <c>AddShmIpc()</c> reads: <c>ShmIpc</c>.</summary>
    public const string SectionName = "ShmIpc";

    /// <summary>The absolute path of the directory in which the channels stand, for every channel that names no root of its own.
    /// Default: null, which means the environment variable <c>SHMIPC_ROOT</c>, or else the user's own directory in
    /// <c>/dev/shm</c>.</summary>
    public string? Root { get; set; }

    /// <summary>The options of single channels, by channel name; a channel that is not in here has the default options. Names are compared
    /// without regard to case, as configuration keys are. An entry for a channel that the host does not use has no effect, so several
    /// applications can share one file.</summary>
    public IDictionary<string, ShmChannelOptions> Channels { get; } =
        new Dictionary<string, ShmChannelOptions>(StringComparer.OrdinalIgnoreCase);

    /// <summary>The options of the host's consumers, by channel name: where each <c>AddConsumer</c> for that channel starts from, before
    /// its own <c>configure</c>. In a configuration they stand in the section <c>Consumer</c> of their channel.</summary>
    public IDictionary<string, ShmConsumerOptions> Consumers { get; } =
        new Dictionary<string, ShmConsumerOptions>(StringComparer.OrdinalIgnoreCase);

    /// <summary>What a channel is opened with: its own options where there are any, and the common root unless it has its own.</summary>
    internal ShmChannelOptions For(string channel)
    {
        Channels.TryGetValue(channel, out ShmChannelOptions? own);
        return (own ?? new ShmChannelOptions()) with { Root = own?.Root ?? Root };
    }

    /// <summary>What a consumer of a channel starts from: a copy.</summary>
    internal ShmConsumerOptions ConsumerOf(string channel) =>
        Consumers.TryGetValue(channel, out ShmConsumerOptions? own) ? own with { } : new ShmConsumerOptions();
}
