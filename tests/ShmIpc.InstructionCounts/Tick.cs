namespace ShmIpc.InstructionCounts;

/// <summary>A message of 24 bytes. Not a class: counting allocations would count what the garbage collector does.</summary>
internal readonly record struct Tick(long Id, double Price, long Volume);
