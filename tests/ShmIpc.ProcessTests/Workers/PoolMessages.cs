// What the pools of these tests send to and fro: one type for each serializer.

using MessagePack;

namespace ShmIpc.ProcessTests.Workers;

/// <summary>A job or a result as MessagePack has it.</summary>
[MessagePackObject]
public sealed record PoolMessage
{
    [Key(0)]
    public int Number { get; init; }

    [Key(1)]
    public string Text { get; init; } = "";
}

/// <summary>A job or a result without references.</summary>
public struct Pair
{
    public long First { get; set; }

    public long Second { get; set; }
}
