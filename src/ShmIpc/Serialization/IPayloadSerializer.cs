using System.Buffers;

namespace ShmIpc.Serialization;

/// <summary>Turns messages into bytes and back. Bytes are written straight into, and read straight out of, shared memory.</summary>
/// <typeparam name="T">The message type.</typeparam>
/// <remarks>Called while the producer or consumer is held for the message, so it must not use that producer or consumer itself (it would
/// wait for itself), and others wait as long as it takes. Two producers may call it at once.</remarks>
public interface IPayloadSerializer<T>
{
    /// <summary>Name of the format, written into the channel and compared at open: two sides that differ are refused. At most 159 bytes
    /// of UTF-8.</summary>
    string Format { get; }

    /// <summary>A number that stands for the exact layout of the messages, written into the channel and compared at open: two sides that
    /// differ are refused. It must be the same in every process and every run. Default: 0, the format says everything.</summary>
    ulong Schema => 0;

    /// <summary>Writes a message.</summary>
    /// <param name="destination">Takes the bytes; valid during the call only.</param>
    /// <param name="value">The message.</param>
    void Serialize(IBufferWriter<byte> destination, T value);

    /// <summary>Reads a message. Anything it throws reaches the reader as <see cref="ShmPayloadException"/>, and the message is
    /// skipped.</summary>
    /// <param name="payload">Exactly the message's bytes, in read-only memory; valid during the call only, so copy what the result
    /// keeps.</param>
    T Deserialize(ReadOnlyMemory<byte> payload);
}
