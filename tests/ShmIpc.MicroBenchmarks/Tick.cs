using MessagePack;

namespace ShmIpc.MicroBenchmarks;

/// <summary>A message of 24 bytes as it lies in memory, and of 16 as MessagePack.</summary>
[MessagePackObject]
public struct Tick
{
    [Key(0)]
    public long Id { get; set; }

    [Key(1)]
    public double Price { get; set; }

    [Key(2)]
    public long Volume { get; set; }
}
