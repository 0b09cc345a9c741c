using ShmIpc.Benchmarks.Measuring;

namespace ShmIpc.Benchmarks.Pairs;

/// <summary>One process's part of a measurement.</summary>
internal interface IRole
{
    Sample Run();
}
