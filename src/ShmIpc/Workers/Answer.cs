namespace ShmIpc.Workers;

/// <summary>One message of a worker to its pool.</summary>
/// <param name="Kind">What it says.</param>
/// <param name="Worker">The worker's index.</param>
/// <param name="Restarts">Which process of that place it comes from.</param>
/// <param name="Job">The job's number; 0 when it is about none.</param>
/// <param name="Value">The result, if it is one.</param>
/// <param name="Texts">What the kind says.</param>
internal readonly record struct Answer<TResult>(
    AnswerKind Kind, int Worker, int Restarts, ulong Job, TResult? Value, IReadOnlyList<string> Texts);
