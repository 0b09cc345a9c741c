using System.Threading.Channels;
using ShmIpc.Channels;
using Xunit;

namespace ShmIpc.Tests.Channels;

/// <summary>A producer of the channel's model test: a <see cref="ByteProducer"/> or a <see cref="Producer{T}"/>, and what is known of
/// it.</summary>
internal sealed class ModelProducer(ByteProducer? bytes, Producer<byte[]>? typed, ModelLane lane)
{
    private readonly Producer<byte[]>? _typed = typed;

    /// <summary>Null for a typed producer.</summary>
    public ByteProducer? Bytes { get; } = bytes;

    public ModelLane Lane { get; } = lane;

    public bool IsCompleted { get; set; }

    public long Dropped { get; set; }

    public long DroppedMessages => Bytes?.DroppedMessages ?? _typed!.DroppedMessages;

    public bool TryWrite(byte[] payload) => Bytes?.TryWrite(payload) ?? _typed!.TryWrite(payload);

    public bool TryWriteBatch(byte[][] payloads) =>
        Bytes?.TryWriteBatch([.. payloads.Select(payload => (ReadOnlyMemory<byte>)payload)]) ?? _typed!.TryWriteBatch(payloads);

    public bool TryComplete(Exception? error) => Bytes?.TryComplete(error) ?? _typed!.TryComplete(error);

    /// <summary>Writes without waiting, by the method that waits; what it throws stands for false.</summary>
    public bool WriteAtOnce(byte[] payload)
    {
        try
        {
            if (Bytes is null)
            {
                _typed!.Write(payload, TimeSpan.Zero);
            }
            else
            {
                Bytes.Write(payload, TimeSpan.Zero);
            }

            return true;
        }
        catch (TimeoutException)
        {
            Assert.False(IsCompleted);
            return false;
        }
        catch (ChannelClosedException)
        {
            Assert.True(IsCompleted);
            return false;
        }
    }

    /// <summary>Writes by the method that awaits; there must be room.</summary>
    public void WriteAsynchronously(byte[] payload)
    {
        ValueTask writing = Bytes?.WriteAsync(payload) ?? _typed!.WriteAsync(payload);
        Assert.True(writing.IsCompletedSuccessfully);
    }

    public void Dispose()
    {
        Bytes?.Dispose();
        _typed?.Dispose();
        Assert.Throws<ObjectDisposedException>(() => TryWrite([]));
    }
}
