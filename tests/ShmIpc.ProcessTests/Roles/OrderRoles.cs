// Typed messages with everything that MessagePack makes of a class: strings, nested objects, lists, nothing.

using MessagePack;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Roles;

internal static class OrderRoles
{
    public static Order Make(int number) => new()
    {
        Number = number,
        Customer = number % 7 == 0 ? null : $"Customer {number} – Grüße, 東京",
        Lines =
        [
            .. Enumerable.Range(0, number % 20).Select(line => new OrderLine { Article = $"article {line}", Price = number + (line / 4m) }),
        ],
    };

    public static void Write(RoleArguments arguments)
    {
        using ShmChannel<Order> channel = ShmChannel.CreateOrOpen<Order>(arguments.Channel, arguments.Options);
        using Producer<Order> producer = channel.CreateProducer();
        RoleArguments.Say("ready");
        for (int number = 0; number < arguments.Number("count"); number++)
        {
            producer.Write(Make(number), ChildProcess.Patience);
        }

        producer.TryComplete();
        RoleArguments.Say("done");
        RoleArguments.Await("end");
    }

    public static void Read(RoleArguments arguments)
    {
        using ShmChannel<Order> channel = ShmChannel.CreateOrOpen<Order>(arguments.Channel, arguments.Options);
        using Consumer<Order> consumer = channel.CreateConsumer();
        RoleArguments.Say("ready");
        int number = 0;
        ReadAsync().GetAwaiter().GetResult();
        RoleArguments.Say(FormattableString.Invariant($"done {number}"));

        async Task ReadAsync()
        {
            using CancellationTokenSource tooLong = new(ChildProcess.Patience);
            await foreach (Order order in consumer.ReadAllAsync(tooLong.Token))
            {
                order.MustEqual(Make(number++));
            }
        }
    }
}

/// <summary>The message type.</summary>
[MessagePackObject]
public sealed class Order
{
    [Key(0)]
    public int Number { get; set; }

    [Key(1)]
    public string? Customer { get; set; }

    [Key(2)]
    public IList<OrderLine> Lines { get; set; } = [];

    public void MustEqual(Order other)
    {
        ArgumentNullException.ThrowIfNull(other);
        bool isEqual = Number == other.Number && Customer == other.Customer
            && Lines.Select(line => (line.Article, line.Price)).SequenceEqual(other.Lines.Select(line => (line.Article, line.Price)));
        if (!isEqual)
        {
            throw new InvalidOperationException($"Order {Number} of \"{Customer}\" with {Lines.Count} lines is not order {other.Number}.");
        }
    }
}

/// <summary>A part of the message.</summary>
[MessagePackObject]
public sealed class OrderLine
{
    [Key(0)]
    public string Article { get; set; } = "";

    [Key(1)]
    public decimal Price { get; set; }
}
