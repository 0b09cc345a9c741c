using MessagePack;
using ShmIpc.Benchmarks.Measuring;

namespace ShmIpc.Benchmarks.Transports.OfChannels;

/// <summary>An ordinary message: eight fields, one of them a string. Public, as MessagePack wants it.</summary>
[MessagePackObject]
public sealed class Order
{
    [Key(0)]
    public ulong Id { get; set; }

    [Key(1)]
    public string Symbol { get; set; } = "";

    [Key(2)]
    public double Price { get; set; }

    [Key(3)]
    public long Quantity { get; set; }

    [Key(4)]
    public bool IsBuy { get; set; }

    [Key(5)]
    public int Account { get; set; }

    [Key(6)]
    public DateTime Placed { get; set; }

    [Key(7)]
    public double? Limit { get; set; }

    public static Order Sample() => new()
    {
        Symbol = "EURUSD.SPOT",
        Price = 1.08423,
        Quantity = 2_500_000,
        IsBuy = true,
        Account = 481_516,
        Placed = new DateTime(2026, 1, 15, 9, 30, 0, DateTimeKind.Utc),
        Limit = 1.085,
    };
}
