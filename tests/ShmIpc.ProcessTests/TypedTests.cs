// Objects across processes, whoever comes first.

using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.ProcessTests.Roles;

namespace ShmIpc.ProcessTests;

public sealed class TypedTests
{
    private const int Messages = 5_000;
    private const int LaneBytes = 16 << 20;

    [Fact]
    public void Consumer_first()
    {
        using ScratchRoot root = new();
        using ChildProcess reader = Start("order-reader", root);
        using ChildProcess writer = Start("order-writer", root);
        writer.Expect("done");
        Assert.Equal(Messages.ToString(), reader.Expect("done")[0]);
        writer.Send("end");
        writer.ExpectEnd();
        reader.ExpectEnd();
    }

    [Fact]
    public void Producer_first()
    {
        // The producer has written and completed everything before anybody reads; the lane holds it.
        using ScratchRoot root = new();
        root.RequireRoom(LaneBytes + (1 << 20));
        using ShmChannel<Order> channel = ShmChannel.CreateOrOpen<Order>(
            "orders", new ShmChannelOptions { Root = root.Path, LaneCapacityBytes = LaneBytes });
        using ChildProcess writer = Start("order-writer", root);
        writer.Expect("done");
        using ChildProcess reader = Start("order-reader", root);
        Assert.Equal(Messages.ToString(), reader.Expect("done")[0]);
        writer.Send("end");
        writer.ExpectEnd();
    }

    [Fact]
    public void A_producer_that_has_gone_left_its_messages_and_its_completion()
    {
        using ScratchRoot root = new();
        root.RequireRoom(LaneBytes + (1 << 20));
        ShmChannelOptions options = new() { Root = root.Path, LaneCapacityBytes = LaneBytes };
        using ShmChannel<Order> channel = ShmChannel.CreateOrOpen<Order>("orders", options);
        using (ChildProcess writer = Start("order-writer", root))
        {
            writer.Expect("done");
            writer.Send("end");
            writer.ExpectEnd();
        }

        using ChildProcess reader = Start("order-reader", root);
        Assert.Equal(Messages.ToString(), reader.Expect("done")[0]);
        reader.ExpectEnd();
    }

    private static ChildProcess Start(string role, ScratchRoot root) =>
        ChildProcess.StartReady(role, ("root", root.Path), ("channel", "orders"), ("count", Messages));
}
