// What the host knows of one channel before it is open: the common part of every message type, which ChannelStartup walks through.

namespace ShmIpc.Hosting;

internal abstract class ChannelRegistration(string channel)
{
    /// <summary>The channel's name, which is also the key of its services.</summary>
    public string Channel { get; } = channel;

    /// <summary>Whether the host has a producer on this channel.</summary>
    public bool HasProducer { get; set; }

    /// <summary>Opens the channel, or creates it, and joins it with the producer where there is one.</summary>
    public abstract void Open(IServiceProvider services);
}
