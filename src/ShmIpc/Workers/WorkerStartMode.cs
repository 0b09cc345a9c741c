using System.Diagnostics.CodeAnalysis;

namespace ShmIpc.Workers;

/// <summary>How workers are started.</summary>
public enum WorkerStartMode
{
    /// <summary>The program again, as an ordinary process. Without restrictions, and the slowest: a runtime starts each time.</summary>
    Spawn,

    /// <summary>Forked from a fork server: a copy of the program that the pool starts with the settings a fork takes, and that does
    /// nothing else. Falls back to <see cref="Spawn"/> with a reason.</summary>
    [Experimental(ForkSupport.DiagnosticId)]
    ForkServer,

    /// <summary>Forked from the calling process, as it is when the pool starts. Refused with every reason where it cannot work; see
    /// <see cref="ForkSupport"/>.</summary>
    [Experimental(ForkSupport.DiagnosticId)]
    Fork,
}
