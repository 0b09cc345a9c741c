namespace ShmIpc.Memory;

/// <summary>A limit of the process (<c>ulimit</c>).</summary>
/// <param name="Soft">What holds now; null for unlimited.</param>
/// <param name="Hard">Up to where the process may raise it; null for unlimited.</param>
public readonly record struct ResourceLimit(long? Soft, long? Hard);
