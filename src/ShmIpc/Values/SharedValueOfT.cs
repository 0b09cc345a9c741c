using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using ShmIpc.Memory;
using ShmIpc.Regions;
using ShmIpc.Serialization;
using ShmIpc.Waiting;

namespace ShmIpc.Values;

/// <summary>The latest value of something, shared between the processes of this machine. Made by <see cref="SharedValue"/>.</summary>
/// <typeparam name="T">The value's type.</typeparam>
/// <remarks>
/// <para>One writer at a time, any number of readers, none of whom ever waits for another. A reader gets the latest value that was written
/// completely, whatever the writer does or however it died. Values in between are not kept: for every message, use a channel.</para>
/// <para>All members may be used by several threads at once. Disposing it detaches this object; its writers stay usable, and the value
/// itself stays for other processes until it is deleted with <see cref="SharedValue.Delete"/>.</para>
/// </remarks>
public sealed class SharedValue<T> : IDisposable
{
    private readonly ValueRegion _region;
    private readonly IPayloadSerializer<T> _serializer;
    private readonly ValueWatch _watch;
    private int _isDisposed;

    internal SharedValue(ValueRegion region, IPayloadSerializer<T> serializer)
    {
        _region = region;
        _serializer = serializer;
        _watch = new ValueWatch(region);
    }

    /// <summary>The shared value's name.</summary>
    public string Name => _region.Name;

    /// <summary>Largest serialized value in bytes.</summary>
    public int MaxValueBytes => _region.Geometry.MaxValueBytes;

    /// <summary>Number of the latest value: 0 before the first, and one more with each that is written, by whichever writer.</summary>
    /// <exception cref="ShmRegionDeletedException">The value was deleted.</exception>
    public long Version
    {
        get
        {
            Enter();
            try
            {
                return _region.Cell.Version;
            }
            finally
            {
                _region.ReleaseReference();
            }
        }
    }

    /// <summary>True when a living process has the writer's place. When false, the latest value is what the last writer left.</summary>
    /// <remarks>Asks the kernel: one system call.</remarks>
    /// <exception cref="ShmRegionDeletedException">The value was deleted.</exception>
    public bool HasWriter
    {
        get
        {
            Enter();
            try
            {
                return _region.HasWriter;
            }
            finally
            {
                _region.ReleaseReference();
            }
        }
    }

    /// <summary>Takes the writer's place, which is free or belonged to a process that has died.</summary>
    /// <exception cref="ShmLimitException">A living writer has it (the message says which process), or every participant's place is
    /// taken.</exception>
    /// <exception cref="ShmCorruptionException">A peer damaged the value.</exception>
    /// <exception cref="ShmRegionDeletedException">The value was deleted.</exception>
    public SharedValueWriter<T> CreateWriter()
    {
        Enter();
        try
        {
            return new SharedValueWriter<T>(_region, _serializer);
        }
        finally
        {
            _region.ReleaseReference();
        }
    }

    /// <inheritdoc cref="TryRead(out T, out long)"/>
    public bool TryRead([MaybeNullWhen(false)] out T value) => TryRead(out value, out _);

    /// <summary>Reads the latest value. Makes no system call, and allocates nothing but what the serializer does.</summary>
    /// <param name="value">The value.</param>
    /// <param name="version">Its number; 0 when there is none.</param>
    /// <returns>False when none was ever written.</returns>
    /// <exception cref="ShmPayloadException">The value could not be decoded. The next one may be.</exception>
    /// <exception cref="ShmCorruptionException">A peer damaged the value.</exception>
    /// <exception cref="ShmRegionDeletedException">The value was deleted.</exception>
    /// <exception cref="ObjectDisposedException">This object was disposed.</exception>
    public bool TryRead([MaybeNullWhen(false)] out T value, out long version)
    {
        byte[] copy = [];
        Enter();
        try
        {
            version = _region.Cell.Read(ref copy, out int lengthBytes);
            if (version == 0)
            {
                value = default;
                return false;
            }

            value = Decode(copy.AsMemory(0, lengthBytes), version);
            return true;
        }
        finally
        {
            ValueCell.GiveBack(copy);
            _region.ReleaseReference();
        }
    }

    /// <summary>Reads the latest value, and waits for the first if there is none yet.</summary>
    /// <param name="timeout">Longest wait. Null: for ever.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TimeoutException">Nobody wrote within <paramref name="timeout"/>.</exception>
    /// <inheritdoc cref="TryRead(out T, out long)" path="/exception"/>
    public T Read(TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        T? value;
        Deadline deadline = new(timeout);
        for (bool hasWaited = false; !TryRead(out value); hasWaited = true)
        {
            // Once there is a value there always is one; unless a peer scribbles, and then this ends all the same.
            if ((hasWaited && deadline.IsOver) || !_watch.Wait(0, deadline, cancellationToken))
            {
                throw new TimeoutException($"Nobody wrote the shared value {Name} within {deadline.Asked}.");
            }
        }

        return value;
    }

    /// <summary>Waits until the version is another than <paramref name="sinceVersion"/>.</summary>
    /// <param name="sinceVersion">The version that was read last; 0 waits for the first value.</param>
    /// <param name="timeout">Longest wait; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>False when nothing changed in time.</returns>
    /// <exception cref="ShmLimitException">Waiting needs a participant's place, and every one is taken.</exception>
    /// <exception cref="ShmRegionDeletedException">The value was deleted.</exception>
    /// <exception cref="ObjectDisposedException">This object was disposed.</exception>
    public bool WaitForChange(long sinceVersion, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        _watch.Wait(sinceVersion, new Deadline(timeout), cancellationToken);

    /// <summary>Awaits that the version is another than <paramref name="sinceVersion"/>.</summary>
    /// <param name="sinceVersion">The version that was read last; 0 awaits the first value.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The version then; the next read may find a later one.</returns>
    /// <inheritdoc cref="WaitForChange" path="/exception"/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<long> WaitForChangeAsync(long sinceVersion, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        long version;
        while ((version = Version) == sinceVersion)
        {
            await _watch.WaitAsync(sinceVersion, cancellationToken).ConfigureAwait(false);
        }

        return version;
    }

    /// <summary>The latest value, if there is one, and then each change, for ever. A reader that is slower than the writer skips what was
    /// overwritten meanwhile: it gets the latest, in order, none twice.</summary>
    /// <param name="cancellationToken">Ends the enumeration with an <see cref="OperationCanceledException"/>.</param>
    /// <inheritdoc cref="WaitForChange" path="/exception"/>
    /// <exception cref="ShmPayloadException">A value could not be decoded; the enumeration ends.</exception>
    /// <exception cref="ShmCorruptionException">A peer damaged the value; the enumeration ends.</exception>
    public async IAsyncEnumerable<T> ReadAllChangesAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        long seen = 0;
        while (true)
        {
            await WaitForChangeAsync(seen, cancellationToken).ConfigureAwait(false);
            if (TryRead(out T? value, out seen))
            {
                yield return value;
            }
        }
    }

    /// <summary>Detaches, and ends pending waits with <see cref="ObjectDisposedException"/>. Writers that were made here stay
    /// usable.</summary>
    public void Dispose()
    {
        if (Atomics.Exchange(ref _isDisposed, 1) == 0)
        {
            if (_region.IsAtHome)
            {
                _watch.Close();
            }

            _region.ReleaseReference();
        }
    }

    // With a reference of its own, so that a Dispose on another thread unmaps nothing under it.
    private void Enter()
    {
        ObjectDisposedException.ThrowIf(Atomics.Acquire(ref _isDisposed) != 0, this);
        _region.ThrowIfForked();
        _region.AddReference();
        try
        {
            _region.ThrowIfDeleted();
        }
        catch
        {
            _region.ReleaseReference();
            throw;
        }
    }

    private T Decode(ReadOnlyMemory<byte> payload, long version)
    {
        try
        {
            return _serializer.Deserialize(payload);
        }
        catch (Exception error)
        {
            throw new ShmPayloadException(
                $"Value {version} of {Name} ({payload.Length} bytes) is no {_serializer.Format}: {error.Message}", error);
        }
    }
}
