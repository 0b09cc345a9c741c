// One network interface in the figures.
namespace ShmIpc.Examples.Consumer;

/// <summary>What one network interface carried, in bytes a second.</summary>
internal readonly record struct NetworkRate(string Name, double ReceivedBytesPerSecond, double SentBytesPerSecond);
