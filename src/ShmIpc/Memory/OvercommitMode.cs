namespace ShmIpc.Memory;

/// <summary>How much memory the machine promises (<c>vm.overcommit_memory</c>).</summary>
public enum OvercommitMode
{
    /// <summary>More than it has, but nothing at once that can never be there. The kernel's default.</summary>
    Heuristic = 0,

    /// <summary>Whatever is asked for.</summary>
    Always = 1,

    /// <summary>No more than <see cref="MemoryLimits.CommitLimitBytes"/>: a request beyond is ENOMEM.</summary>
    Never = 2,
}
