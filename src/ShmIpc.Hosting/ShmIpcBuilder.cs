using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using ShmIpc.Channels;
using ShmIpc.Serialization;

namespace ShmIpc.Hosting;

/// <summary>Adds the channels of a host: what it produces and what it consumes. Every channel is opened, or created, when the host
/// starts, and closed with the host's service provider.</summary>
/// <remarks>A method without a serializer uses MessagePack, which generates code at run time; with native AOT or trimming, give a
/// serializer. <see cref="ShmChannel{T}"/> itself can be injected too, with the channel's name as key.</remarks>
public sealed class ShmIpcBuilder
{
    private const string NeedsDynamicCode =
        "The default serializer (MessagePack) generates code at run time. Give an IPayloadSerializer<T>.";

    internal ShmIpcBuilder(IServiceCollection services) => Services = services;

    /// <summary>The services of the host.</summary>
    public IServiceCollection Services { get; }

    /// <summary>Adds a producer: one for the whole host, injected as <see cref="Producer{T}"/> or <see cref="ChannelWriter{T}"/>, with the
    /// channel's name as key (<c>[FromKeyedServices("quotes")]</c>), and without a key too as long as only one channel carries
    /// <typeparamref name="T"/>. It is disposed with the host, which does not complete the channel.</summary>
    /// <typeparam name="T">The type of the messages.</typeparam>
    /// <param name="channel">The channel's name.</param>
    /// <returns>This builder.</returns>
    [RequiresDynamicCode(NeedsDynamicCode)]
    [RequiresUnreferencedCode(NeedsDynamicCode)]
    public ShmIpcBuilder AddProducer<T>(string channel) =>
        AddProducer(channel, serializer: null, options => ShmChannel.CreateOrOpen<T>(channel, options));

    /// <inheritdoc cref="AddProducer{T}(string)"/>
    /// <param name="channel">The channel's name.</param>
    /// <param name="serializer">Turns messages into bytes.</param>
    public ShmIpcBuilder AddProducer<T>(string channel, IPayloadSerializer<T> serializer)
    {
        ArgumentNullException.ThrowIfNull(serializer);
        return AddProducer(channel, serializer, options => ShmChannel.CreateOrOpen(channel, serializer, options));
    }

    /// <summary>Adds a consumer: a hosted service that hands every message of the channel to a delegate, one after another. Several
    /// consumers of a channel, in one host or in several, see every message each, unless they share a
    /// <see cref="ShmConsumerOptions.Group"/>.</summary>
    /// <typeparam name="T">The type of the messages.</typeparam>
    /// <param name="channel">The channel's name.</param>
    /// <param name="handler">Handles one message. Its token is cancelled when the host shuts down and has waited for the message in hand
    /// as long as it may, not already when the shutdown begins.</param>
    /// <param name="configure">Changes the consumer's options, after those of the configuration.</param>
    /// <returns>This builder.</returns>
    [RequiresDynamicCode(NeedsDynamicCode)]
    [RequiresUnreferencedCode(NeedsDynamicCode)]
    public ShmIpcBuilder AddConsumer<T>(
        string channel, Func<T, CancellationToken, ValueTask> handler, Action<ShmConsumerOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return AddConsumer(
            channel, serializer: null, options => ShmChannel.CreateOrOpen<T>(channel, options), _ => Plain(handler), configure);
    }

    /// <inheritdoc cref="AddConsumer{T}(string, Func{T, CancellationToken, ValueTask}, Action{ShmConsumerOptions}?)"/>
    /// <param name="channel">The channel's name.</param>
    /// <param name="serializer">Turns bytes into messages.</param>
    /// <param name="handler">Handles one message. Its token is cancelled when the host shuts down and has waited for the message in hand
    /// as long as it may, not already when the shutdown begins.</param>
    /// <param name="configure">Changes the consumer's options, after those of the configuration.</param>
    public ShmIpcBuilder AddConsumer<T>(
        string channel,
        IPayloadSerializer<T> serializer,
        Func<T, CancellationToken, ValueTask> handler,
        Action<ShmConsumerOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(serializer);
        ArgumentNullException.ThrowIfNull(handler);
        return AddConsumer(
            channel, serializer, options => ShmChannel.CreateOrOpen(channel, serializer, options), _ => Plain(handler), configure);
    }

    /// <summary>Adds a consumer: a hosted service that hands every message of the channel to a <typeparamref name="THandler"/>, one
    /// after another. The handler is resolved in a service scope of its own for every message, and is registered as a scoped service
    /// unless it is registered already. Several consumers of a channel, in one host or in several, see every message each, unless they
    /// share a <see cref="ShmConsumerOptions.Group"/>.</summary>
    /// <typeparam name="T">The type of the messages.</typeparam>
    /// <typeparam name="THandler">The type of the handler.</typeparam>
    /// <param name="channel">The channel's name.</param>
    /// <param name="configure">Changes the consumer's options, after those of the configuration.</param>
    /// <returns>This builder.</returns>
    [RequiresDynamicCode(NeedsDynamicCode)]
    [RequiresUnreferencedCode(NeedsDynamicCode)]
    public ShmIpcBuilder AddConsumer<T, [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] THandler>(
        string channel, Action<ShmConsumerOptions>? configure = null)
        where THandler : class, IShmMessageHandler<T>
    {
        Services.TryAddScoped<THandler>();
        return AddConsumer(
            channel, serializer: null, options => ShmChannel.CreateOrOpen<T>(channel, options), InScope<T, THandler>, configure);
    }

    /// <inheritdoc cref="AddConsumer{T, THandler}(string, Action{ShmConsumerOptions}?)"/>
    /// <param name="channel">The channel's name.</param>
    /// <param name="serializer">Turns bytes into messages.</param>
    /// <param name="configure">Changes the consumer's options, after those of the configuration.</param>
    public ShmIpcBuilder AddConsumer<T, [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] THandler>(
        string channel, IPayloadSerializer<T> serializer, Action<ShmConsumerOptions>? configure = null)
        where THandler : class, IShmMessageHandler<T>
    {
        ArgumentNullException.ThrowIfNull(serializer);
        Services.TryAddScoped<THandler>();
        return AddConsumer(
            channel, serializer, options => ShmChannel.CreateOrOpen(channel, serializer, options), InScope<T, THandler>, configure);
    }

    private static Func<T, int, CancellationToken, ValueTask> Plain<T>(Func<T, CancellationToken, ValueTask> handler) =>
        (message, _, cancellationToken) => handler(message, cancellationToken);

    private static Func<T, int, CancellationToken, ValueTask> InScope<T, THandler>(IServiceProvider services)
        where THandler : class, IShmMessageHandler<T> => async (message, deliveryCount, cancellationToken) =>
        {
            AsyncServiceScope scope = services.CreateAsyncScope();
            await using (scope.ConfigureAwait(false))
            {
                THandler handler = scope.ServiceProvider.GetRequiredService<THandler>();
                await handler.HandleAsync(message, deliveryCount, cancellationToken).ConfigureAwait(false);
            }
        };

    private ShmIpcBuilder AddProducer<T>(
        string channel, IPayloadSerializer<T>? serializer, Func<ShmChannelOptions, ShmChannel<T>> open)
    {
        TypedChannelRegistration<T> registration = Register(channel, serializer, open);
        if (!registration.HasProducer) registration.AddProducerTo(Services);
        Services.TryAddSingleton(TypedChannelRegistration<T>.OnlyProducer);
        Services.TryAddSingleton<ChannelWriter<T>>(TypedChannelRegistration<T>.OnlyProducer);
        return this;
    }

    private ShmIpcBuilder AddConsumer<T>(
        string channel,
        IPayloadSerializer<T>? serializer,
        Func<ShmChannelOptions, ShmChannel<T>> open,
        Func<IServiceProvider, Func<T, int, CancellationToken, ValueTask>> handler,
        Action<ShmConsumerOptions>? configure)
    {
        Register(channel, serializer, open);
        Services.AddSingleton<IHostedService>(services =>
            new ConsumerService<T>(services, channel, handler(services), ConsumerOptionsOf(services, channel, configure)));
        return this;
    }

    /// <summary>What the settings say of the channel's consumers, changed by code.</summary>
    /// <exception cref="OptionsValidationException">The result is refused; the message says why.</exception>
    private static ShmConsumerOptions ConsumerOptionsOf(
        IServiceProvider services, string channel, Action<ShmConsumerOptions>? configure)
    {
        ShmConsumerOptions options = services.GetRequiredService<IOptions<ShmIpcOptions>>().Value.ConsumerOf(channel);
        configure?.Invoke(options);
        try
        {
            options.Validate();
        }
        catch (ArgumentException error)
        {
            throw new OptionsValidationException(
                channel, typeof(ShmConsumerOptions), [$"The options of the consumer of channel {channel} cannot be used. {error.Message}"]);
        }

        return options;
    }

    /// <summary>Registers the channel unless an earlier call did.</summary>
    private TypedChannelRegistration<T> Register<T>(
        string channel, IPayloadSerializer<T>? serializer, Func<ShmChannelOptions, ShmChannel<T>> open)
    {
        ArgumentException.ThrowIfNullOrEmpty(channel);
        TypedChannelRegistration<T>? registration = Services
            .Where(service => !service.IsKeyedService)
            .Select(service => service.ImplementationInstance)
            .OfType<TypedChannelRegistration<T>>()
            .FirstOrDefault(registration => registration.Channel == channel);
        if (registration is null)
        {
            registration = new TypedChannelRegistration<T>(channel, serializer, open);
            registration.AddChannelTo(Services);
        }
        else if (!AreAlike(registration.Serializer, serializer))
        {
            throw new InvalidOperationException($"Channel '{channel}' is added twice with different serializers "
                + $"({Describe(registration.Serializer)}, then {Describe(serializer)}). Give the same one each time.");
        }

        return registration;
    }

    /// <summary>Two serializers that write the same messages, so that it does not matter whose object the channel has.</summary>
    private static bool AreAlike<T>(IPayloadSerializer<T>? first, IPayloadSerializer<T>? second) => ReferenceEquals(first, second)
        || (first is not null && second is not null && first.GetType() == second.GetType()
            && first.Format == second.Format && first.Schema == second.Schema);

    private static string Describe<T>(IPayloadSerializer<T>? serializer) =>
        serializer is null ? "the default one" : $"{serializer.GetType()} of format \"{serializer.Format}\"";
}
