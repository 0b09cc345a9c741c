// One channel of one message type: how it is opened, and the services under which the application finds it. The container owns what these
// services create and disposes it, the producer before its channel.

using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using ShmIpc.Channels;
using ShmIpc.Serialization;

namespace ShmIpc.Hosting;

internal sealed class TypedChannelRegistration<T>(
    string channel, IPayloadSerializer<T>? serializer, Func<ShmChannelOptions, ShmChannel<T>> open) : ChannelRegistration(channel)
{
    /// <summary>The serializer the application gave, or null for the default one.</summary>
    public IPayloadSerializer<T>? Serializer => serializer;

    /// <summary>Registers the channel under its name.</summary>
    public void AddChannelTo(IServiceCollection services)
    {
        services.AddSingleton<ChannelRegistration>(this);
        services.AddKeyedSingleton(Channel, (provider, _) => OpenChannel(provider));
    }

    /// <summary>Registers the producer under the channel's name, and the plain services that stand for the only producer of its
    /// type.</summary>
    public void AddProducerTo(IServiceCollection services)
    {
        HasProducer = true;
        services.AddKeyedSingleton(Channel, (provider, key) => provider.GetRequiredKeyedService<ShmChannel<T>>(key).CreateProducer());
        services.AddKeyedSingleton<ChannelWriter<T>>(Channel, (provider, key) => provider.GetRequiredKeyedService<Producer<T>>(key));
    }

    /// <summary>The producer that is meant when a <see cref="Producer{T}"/> is asked for without a channel name.</summary>
    public static Producer<T> OnlyProducer(IServiceProvider services)
    {
        string[] channels = [.. services.GetServices<ChannelRegistration>()
            .Where(registration => registration is TypedChannelRegistration<T> && registration.HasProducer)
            .Select(registration => registration.Channel)];
        return channels.Length == 1
            ? services.GetRequiredKeyedService<Producer<T>>(channels[0])
            : throw new InvalidOperationException(
                $"Several channels carry {typeof(T)}: {string.Join(", ", channels)}. "
                + $"Say which one with [FromKeyedServices(\"{channels[0]}\")].");
    }

    public override void Open(IServiceProvider services)
    {
        services.GetRequiredKeyedService<ShmChannel<T>>(Channel);
        if (HasProducer) services.GetRequiredKeyedService<Producer<T>>(Channel);
    }

    private ShmChannel<T> OpenChannel(IServiceProvider services)
    {
        ShmChannel<T> opened = open(services.GetRequiredService<IOptions<ShmIpcOptions>>().Value.For(Channel));
        Log.ChannelOpened(Log.CreateLogger(services), Channel, typeof(T), opened.LaneCapacityBytes);
        return opened;
    }
}
