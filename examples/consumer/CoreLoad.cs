// One core in the figures.
namespace ShmIpc.Examples.Consumer;

/// <summary>How busy one core was, 0 to 100.</summary>
internal readonly record struct CoreLoad(int Index, double Percent);
