
using ShmIpc.Benchmarks.Measuring;

namespace ShmIpc.Benchmarks.Topology;

/// <summary>One process's part of a topology.</summary>
internal interface IPart
{
    Sample Run(Lifeline lifeline);
}
