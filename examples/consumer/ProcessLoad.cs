// One process in the figures.
using ShmIpc.Examples.Messages;

namespace ShmIpc.Examples.Consumer;

/// <summary>How much of one core a process used: 100 is a whole core, two busy threads are 200.</summary>
internal readonly record struct ProcessLoad(ProcessCounters Counters, double CpuPercent);
