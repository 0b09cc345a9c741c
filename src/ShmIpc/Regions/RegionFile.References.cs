// How long an attachment lasts: until whoever attached, and everything that was made from it (producers, consumers, writers, pending
// waits), has let go of it.

using ShmIpc.Memory;

namespace ShmIpc.Regions;

internal sealed partial class RegionFile
{
    private int _references = 1;

    /// <summary>Keeps the region attached until the matching <see cref="ReleaseReference"/>.</summary>
    /// <exception cref="ObjectDisposedException">The last reference is gone; the memory is unmapped.</exception>
    public void AddReference()
    {
        int references;
        do
        {
            references = Atomics.Acquire(ref _references);
            ObjectDisposedException.ThrowIf(references <= 0, this);
        }
        while (!Atomics.CompareExchange(ref _references, references, references + 1));
    }

    /// <summary>Gives a reference back; the last one detaches.</summary>
    public void ReleaseReference()
    {
        if (Atomics.Decrement(ref _references) == 0)
        {
            Control.Dispose();
            CrashPoint.BeforeCall("close");
            _probeFile.Dispose();
            _lockFile.Dispose(); // the kernel drops every lock of this attachment
        }
    }

    /// <summary>Gives back the reference that the region was born with.</summary>
    public void Dispose() => ReleaseReference();
}
