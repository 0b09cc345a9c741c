// The process that made an object, remembered where the object must not be used by a forked child: its locks are the parent's too.

using System.Diagnostics.CodeAnalysis;
using ShmIpc.Interop;

namespace ShmIpc.Memory;

internal readonly struct HomeProcess
{
    private HomeProcess(int generation, int processId)
    {
        Generation = generation;
        ProcessId = processId;
    }

    /// <summary>What <see cref="ForkMarker.Generation"/> is at home.</summary>
    public int Generation { get; }

    public int ProcessId { get; }

    /// <summary>False in a forked child of the process that made the object.</summary>
    public bool IsHere => ForkMarker.Generation == Generation;

    /// <summary>The calling process.</summary>
    public static HomeProcess Current() => new(ForkMarker.Join(), LinuxProcess.ProcessId());

    /// <exception cref="ShmForkedProcessException">This is a forked child.</exception>
    public void Require(string ownerName)
    {
        if (!IsHere)
        {
            ThrowForked(ownerName);
        }
    }

    [DoesNotReturn]
    public void ThrowForked(string ownerName) => throw new ShmForkedProcessException(
        $"The {ownerName} belongs to process {ProcessId}, from which this process {LinuxProcess.ProcessId()} was forked. Dispose it here, "
        + "which leaves the parent's alone, and open or take one of this process's own.");
}
