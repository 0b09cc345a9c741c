using ShmIpc.Memory;
using ShmIpc.Regions;
using ShmIpc.Serialization;

namespace ShmIpc.Values;

/// <summary>Writes a shared value. One at a time among all processes; made by <see cref="SharedValue{T}.CreateWriter"/>.</summary>
/// <typeparam name="T">The value's type.</typeparam>
/// <remarks>Any number of threads may use it; their writes come one after the other. Until it is disposed (or its process ends, however it
/// ends) nobody else can write.</remarks>
public sealed class SharedValueWriter<T> : IDisposable
{
    private readonly ValueRegion _region;
    private readonly IPayloadSerializer<T> _serializer;
    private readonly ValueBuffer _buffer;
    private readonly Stamp _stamp;
    private readonly Lock _sync = new();
    private long _version;
    private bool _isSerializing;
    private int _isDisposed;

    internal SharedValueWriter(ValueRegion region, IPayloadSerializer<T> serializer)
    {
        _region = region;
        _serializer = serializer;
        _buffer = new ValueBuffer(region.Geometry.MaxValueBytes);
        _stamp = region.TakeWriter();
        try
        {
            _version = region.Cell.VersionToContinue();
            region.AddReference();
        }
        catch
        {
            region.GiveBackWriter(_stamp);
            throw;
        }
    }

    /// <summary>Number of the latest value, by this writer or by the one before it; 0 when there is none.</summary>
    public long Version
    {
        get
        {
            lock (_sync)
            {
                return _version;
            }
        }
    }

    /// <summary>Writes a value, and wakes those who wait for a change. Never waits for readers; makes no system call while nobody sleeps,
    /// and allocates nothing but what the serializer does.</summary>
    /// <param name="value">The value.</param>
    /// <returns>Its number, one more than that of the value before.</returns>
    /// <exception cref="ShmMessageTooLargeException">The value takes more than <see cref="SharedValue{T}.MaxValueBytes"/>; nothing was
    /// written.</exception>
    /// <exception cref="ShmRegionDeletedException">The value was deleted.</exception>
    /// <exception cref="ObjectDisposedException">The writer was disposed.</exception>
    public long Write(T value)
    {
        lock (_sync)
        {
            _region.ThrowIfForked();
            ThrowIfDisposed();
            Serialize(value);
            ThrowIfDisposed(); // by the serializer, on this thread
            _region.Cell.Write(_version + 1, _buffer.Written);
            _version++;
            _region.WakeReaders();
            return _version;
        }
    }

    /// <summary>Gives the writer's place back. The latest value stays.</summary>
    public void Dispose()
    {
        if (Atomics.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        lock (_sync)
        {
            if (_region.IsAtHome)
            {
                _region.GiveBackWriter(_stamp);
            }

            _region.ReleaseReference();
        }
    }

    private void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(Atomics.Acquire(ref _isDisposed) != 0, this);

    private void Serialize(T value)
    {
        if (_isSerializing)
        {
            throw new InvalidOperationException("The serializer uses the writer that it serializes for.");
        }

        _isSerializing = true;
        try
        {
            _buffer.Clear();
            _serializer.Serialize(_buffer, value);
            _buffer.ThrowIfTooLarge();
        }
        finally
        {
            _isSerializing = false;
        }
    }
}
