namespace ShmIpc.Memory;

/// <summary>Which memory of the process <see cref="MemoryLock.LockAll"/> locks.</summary>
[Flags]
public enum MemoryLockScope
{
    /// <summary>What is mapped now (<c>MCL_CURRENT</c>).</summary>
    Current = 1,

    /// <summary>What will be mapped from now on (<c>MCL_FUTURE</c>).</summary>
    Future = 2,

    /// <summary>Both.</summary>
    CurrentAndFuture = Current | Future,
}
