namespace ShmIpc.Benchmarks.Children;

/// <summary>One process's part of a measurement.</summary>
internal interface IRole
{
    Sample Run();
}
