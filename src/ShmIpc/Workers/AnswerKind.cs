namespace ShmIpc.Workers;

/// <summary>What a worker tells its pool. The numbers stand in shared memory.</summary>
internal enum AnswerKind : byte
{
    /// <summary>The worker is ready. Texts: <see cref="WorkerGrants"/>.</summary>
    Ready = 1,

    /// <summary>The worker cannot run its body, or a plain body threw. Texts: type, message, stack.</summary>
    Broken = 2,

    /// <summary>A job's result.</summary>
    Result = 3,

    /// <summary>A job's body threw, or the job or its result could not be read or written. Texts: type, message, stack.</summary>
    Failed = 4,

    /// <summary>A job's body broke off because it was cancelled.</summary>
    Cancelled = 5,
}
