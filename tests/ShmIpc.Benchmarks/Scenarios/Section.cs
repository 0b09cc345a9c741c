namespace ShmIpc.Benchmarks.Scenarios;

/// <summary>The parts of docs/benchmarks.md that show scenarios; their names there are these in lower case.</summary>
internal enum Section
{
    Latency,
    Throughput,
    Scaling,
    Transports,
    Typed,
    Durability,
    Costs,
}
