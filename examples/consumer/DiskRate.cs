// One disk in the figures.
namespace ShmIpc.Examples.Consumer;

/// <summary>What one disk did, in bytes a second, and how much of the time, 0 to 100.</summary>
internal readonly record struct DiskRate(string Name, double ReadBytesPerSecond, double WrittenBytesPerSecond, double BusyPercent);
