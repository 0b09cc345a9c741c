// Mapped memory and its life: one reservation with everything in it, unmapped when Dispose was called and the last reference is gone.
// How it comes to be is in MemoryMapping.Create.cs, how its users reach the bytes in MemoryMapping.Views.cs, what may be done with its
// pages in MemoryMapping.Protection.cs, what the kernel is told and asked in MemoryMapping.Advice.cs. It knows nothing of what the bytes
// mean.
//
// No public member hands out a span that could outlive the mapping: an open view is a reference. The library's own layers use Whole and
// hold their references themselves.
//
// There is no finalizer, on purpose. A span does not keep the object that handed it out alive, so the collector may find a mapping
// unreachable while somebody still reads its bytes; a finalizer would unmap them under that reader, and the process would end. A
// mapping that nobody disposes stays until the process exits, which frees it: a leak, and never a crash.

using System.Diagnostics.CodeAnalysis;
using ShmIpc.Interop;
using static Tmds.Linux.LibC;

namespace ShmIpc.Memory;

/// <summary>Memory mapped into this process: a file or anonymous memory, shared or private, between guard pages, optionally
/// mirrored.</summary>
/// <remarks>
/// All members may be used by several threads at once. Bytes are reached by copies (<see cref="ReadAt"/>, <see cref="WriteAt"/>) or in
/// place through a view (<see cref="OpenRead(long, int)"/>, <see cref="OpenWrite(long, int)"/>), which keeps the memory mapped while it is
/// open. A mapping that is never disposed stays until the process exits; there is no finalizer. What no library can prevent: when another
/// process makes a mapped file shorter, or punches a hole into it on a full file system, or the disk cannot read a page of it, a touch of
/// what is gone ends this process (<c>SIGBUS</c>).
/// </remarks>
public sealed unsafe partial class MemoryMapping : IDisposable
{
    // The count of references, and the sign bit once Dispose was called: one word, so that the two can never disagree.
    private const int DisposedFlag = int.MinValue;

    private readonly byte* _reservation;
    private readonly long _reservedBytes;
    private readonly byte* _start;
    private readonly long _insideBytes; // from _start to the end of the last page, the mirror's where there is one
    private readonly long _readableBytes;
    private readonly bool _isFile;
    private readonly bool _mayBeWritten; // whether the kernel lets pages become writable: private, anonymous, or a file opened for it
    private int _references;
    private MappedMemory? _memory;
    private HomeProcess _home = HomeProcess.Current();
    private bool _isWithheld; // whether pages are kept from forked children (MemoryAdvice.DontFork)

    private MemoryMapping(
        byte* reservation,
        long reservedBytes,
        byte* start,
        long insideBytes,
        long lengthBytes,
        MemoryMappingOptions options,
        in Backing backing)
    {
        _reservation = reservation;
        _reservedBytes = reservedBytes;
        _start = start;
        _insideBytes = insideBytes;
        _readableBytes = options.Mirrored ? 2 * lengthBytes : lengthBytes;
        LengthBytes = lengthBytes;
        IsMirrored = options.Mirrored;
        Access = options.Access;
        Sharing = options.Sharing;
        _isFile = backing.IsFile;
        _mayBeWritten = backing.MayBeWritten;
        _spaceIsTaken = backing.SpaceIsTaken;
        _transparentKind = backing.Kind;
        PageSizeBytes = backing.PageBytes;
    }

    /// <summary>The length of the memory in bytes; the mirror does not count.</summary>
    public long LengthBytes { get; }

    /// <summary>Whether the memory appears twice in a row.</summary>
    public bool IsMirrored { get; }

    /// <summary>What may be done with the memory, unless <see cref="Protect"/> said otherwise for some of it.</summary>
    public MemoryAccess Access { get; }

    /// <summary>Who sees what is written.</summary>
    public MappingSharing Sharing { get; }

    /// <summary>The size of the pages that the memory consists of, in bytes: what ranges of whole pages are multiples of. That of the pool
    /// where it has huge pages of one, and else that of ordinary pages, also where the kernel makes transparent huge pages of
    /// these.</summary>
    public long PageSizeBytes { get; }

    /// <summary>Whether this is a forked child that did not get all the pages: what lies in their place is not this mapping's.</summary>
    private bool IsWithheldHere => _isWithheld && !_home.IsHere;

    /// <summary>All readable bytes: <see cref="LengthBytes"/>, or twice that when mirrored.</summary>
    internal MappedSpan Whole
    {
        get
        {
            // Disposed but referenced is fine: whoever holds the reference may go on.
            if (Atomics.Acquire(ref _references) == DisposedFlag) ThrowDisposed();
            return new MappedSpan(_start, _readableBytes);
        }
    }

    /// <summary>A window on the memory for writing, for callers that hold a reference or own the mapping.</summary>
    internal Span<byte> GetSpan(long offset, int lengthBytes)
    {
        if (Access != MemoryAccess.ReadWrite) throw new InvalidOperationException("The mapping is read-only, and a span allows writing.");
        return Window(offset, lengthBytes);
    }

    /// <summary>A window on the memory for reading, for callers that hold a reference or own the mapping.</summary>
    internal ReadOnlySpan<byte> GetReadOnlySpan(long offset, int lengthBytes) => Window(offset, lengthBytes);

    /// <summary>Unmaps the memory, now or when the last open view is closed. A second call does nothing.</summary>
    public void Dispose()
    {
        while (true)
        {
            var state = Atomics.Acquire(ref _references);
            if (state < 0) return;
            if (Atomics.CompareExchange(ref _references, state, state | DisposedFlag))
            {
                if (state == 0) Unmap();
                return;
            }
        }
    }

    /// <summary>Unmaps the memory only if nobody has a view open or is copying; says whether it is unmapped now.</summary>
    internal bool TryUnmap()
    {
        if (!Atomics.CompareExchange(ref _references, 0, DisposedFlag)) return Atomics.Acquire(ref _references) == DisposedFlag;
        Unmap();
        return true;
    }

    /// <summary>Keeps the memory mapped until the matching <see cref="ReleaseReference"/>, also past <see cref="Dispose"/>.</summary>
    /// <exception cref="ObjectDisposedException">The mapping is disposed.</exception>
    internal void AddReference()
    {
        while (true)
        {
            var state = Atomics.Acquire(ref _references);
            if (state < 0) ThrowDisposed();
            if (_isWithheld) _home.Require("memory mapping");
            if (Atomics.CompareExchange(ref _references, state, checked(state + 1))) return;
        }
    }

    /// <summary>Gives a reference back; the last one after <see cref="Dispose"/> unmaps.</summary>
    internal void ReleaseReference()
    {
        while (true)
        {
            var state = Atomics.Acquire(ref _references);
            if ((state & ~DisposedFlag) == 0)
            {
                throw new InvalidOperationException("A reference on mapped memory was given back that nobody holds.");
            }

            if (Atomics.CompareExchange(ref _references, state, state - 1))
            {
                if (state - 1 == DisposedFlag) Unmap();
                return;
            }
        }
    }

    /// <summary><see cref="Whole"/> as memory. It holds no reference: whoever uses it does.</summary>
    /// <exception cref="InvalidOperationException">There are more bytes than a <see cref="Memory{T}"/> can hold.</exception>
    internal Memory<byte> AsMemory()
    {
        if (_readableBytes > int.MaxValue)
        {
            throw new InvalidOperationException(
                $"The mapping has {_readableBytes} readable bytes, and a Memory<byte> holds at most {int.MaxValue}: map less.");
        }

        return (_memory ??= new MappedMemory(this, (int)_readableBytes)).Memory; // two threads may make one each; either serves
    }

    private Span<byte> Window(long offset, int lengthBytes)
    {
        if (Atomics.Acquire(ref _references) < 0) ThrowDisposed();
        return new MappedSpan(_start, _readableBytes).Bytes(offset, lengthBytes);
    }

    // A failure here (the kernel has no room to split a neighbouring range) leaves the memory mapped, which harms nobody. In a forked child
    // that did not get all the pages, something else may lie where they were: there, what it got stays until it exits.
    private void Unmap()
    {
        if (IsWithheldHere) return;
        if (_lockedForLife is { } entry) LockTable.Remove(entry);
        _ = munmap(_reservation, (Tmds.Linux.size_t)(ulong)_reservedBytes);
    }

    [DoesNotReturn]
    private static void ThrowDisposed() => throw new ObjectDisposedException(nameof(MemoryMapping), "The memory mapping is disposed.");
}
