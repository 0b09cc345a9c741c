using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using MessagePack;
using MessagePack.Formatters;

namespace ShmIpc.Serialization;

/// <summary>The default serializer: MessagePack, with the security settings for untrusted data.</summary>
/// <typeparam name="T">The message type, as MessagePack wants it (usually with <c>[MessagePackObject]</c>).</typeparam>
public sealed class MessagePackPayload<T> : IPayloadSerializer<T>
{
    private readonly MessagePackSerializerOptions _options;
    private readonly IMessagePackFormatter<T> _formatter;

    /// <summary>Creates the serializer with MessagePack's standard options.</summary>
    /// <exception cref="FormatterNotRegisteredException">MessagePack has no formatter for <typeparamref name="T"/>.</exception>
    [RequiresDynamicCode("MessagePack's standard resolver generates formatters at run time. Pass options with a resolver of "
        + "generated formatters.")]
    [RequiresUnreferencedCode("MessagePack's standard resolver looks at members by reflection. Pass options with a resolver of "
        + "generated formatters.")]
    public MessagePackPayload()
        : this(MessagePackSerializerOptions.Standard)
    {
    }

    /// <summary>Creates the serializer.</summary>
    /// <param name="options">MessagePack's options. Security is that for untrusted data whatever they say; they may only lower the depth
    /// of nesting, which is 500.</param>
    /// <param name="format">Name of the format in the channel's header. Null: <c>messagepack/</c> and the full name of
    /// <typeparamref name="T"/>; give a name when the two sides use types of different names.</param>
    /// <exception cref="NotSupportedException">The options ask for LZ4 compression: damaged input crashes the process in MessagePack
    /// 2.5.</exception>
    /// <exception cref="FormatterNotRegisteredException">MessagePack has no formatter for <typeparamref name="T"/>.</exception>
    public MessagePackPayload(MessagePackSerializerOptions options, string? format = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Compression != MessagePackCompression.None)
        {
            throw new NotSupportedException(
                "MessagePack's LZ4 compression is refused: its decoder crashes the process on damaged input, and shared memory is "
                    + "written by others. Leave Compression at None, and wrap this serializer in a BrotliPayload to compress.");
        }

        MessagePackSecurity untrusted = MessagePackSecurity.UntrustedData;
        int depth = Math.Min(options.Security.MaximumObjectGraphDepth, untrusted.MaximumObjectGraphDepth);
        _options = options.WithSecurity(untrusted.WithMaximumObjectGraphDepth(depth));
        _formatter = _options.Resolver.GetFormatterWithVerify<T>();
        Format = format ?? $"messagepack/{typeof(T)}";
    }

    /// <inheritdoc/>
    public string Format { get; }

    /// <inheritdoc/>
    public void Serialize(IBufferWriter<byte> destination, T value)
    {
        MessagePackWriter writer = new(destination);
        _formatter.Serialize(ref writer, value, _options);
        writer.Flush();
    }

    /// <inheritdoc/>
    public T Deserialize(ReadOnlyMemory<byte> payload)
    {
        MessagePackReader reader = new(payload);
        T value = _formatter.Deserialize(ref reader, _options);
        return reader.End ? value : throw new MessagePackSerializationException(
            $"{payload.Length - reader.Consumed} bytes are left behind the message: it was written as another type.");
    }
}
