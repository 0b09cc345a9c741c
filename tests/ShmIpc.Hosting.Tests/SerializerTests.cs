// Serializers that the application gives, once or for every registration anew.

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ShmIpc.Channels;
using ShmIpc.Serialization;

namespace ShmIpc.Hosting.Tests;

public class SerializerTests
{
    [Fact]
    public async Task Each_registration_may_bring_an_object_of_the_same_serializer()
    {
        using var root = new TestRoot();
        var byDelegate = new TaskCompletionSource<Point>(TaskCreationOptions.RunContinuationsAsynchronously);
        PointHandler.Received = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using IHost host = await TestHost.StartAsync(root, shm => shm
            .AddProducer("points", new BlittablePayload<Point>())
            .AddConsumer("points", new BlittablePayload<Point>(), (point, _) =>
            {
                byDelegate.TrySetResult(point);
                return ValueTask.CompletedTask;
            })
            .AddConsumer<Point, PointHandler>("points", new BlittablePayload<Point>())
            .AddProducer("texts", new BrotliPayload<string>(new StringPayload())));

        host.Services.GetRequiredService<Producer<Point>>().Write(new Point(3, 4));

        Assert.Equal(new Point(3, 4), await byDelegate.Task.WaitAsync(TestHost.Patience, TestHost.Cancellation));
        Assert.Equal(new Point(3, 4), await PointHandler.Received.Task.WaitAsync(TestHost.Patience, TestHost.Cancellation));
        await TestHost.StopAsync(host);
    }

    [Fact]
    public void Serializers_of_other_messages_on_one_channel_are_refused_with_both_names()
    {
        using var root = new TestRoot();
        Refused(
            shm => shm.AddProducer("texts", new StringPayload()).AddProducer("texts", new BrotliPayload<string>(new StringPayload())),
            "'texts'", "StringPayload", "\"utf-8\"", "BrotliPayload", "\"brotli/utf-8\"");
        Refused(
            shm => shm.AddProducer("points", new BlittablePayload<Point>()).AddProducer("points", new BlittablePayload<Point>("other")),
            "\"blittable/", "\"other\"");
        Refused(
            shm => shm.AddProducer<string>("texts").AddConsumer("texts", new StringPayload(), (_, _) => ValueTask.CompletedTask),
            "the default one", "StringPayload");

        void Refused(Action<ShmIpcBuilder> add, params string[] parts)
        {
            InvalidOperationException refusal = Assert.Throws<InvalidOperationException>(() => TestHost.Build(root, add));
            Assert.All(parts, part => Assert.Contains(part, refusal.Message, StringComparison.Ordinal));
        }
    }

    internal readonly record struct Point(int X, int Y);

    internal sealed class PointHandler : IShmMessageHandler<Point>
    {
        public static TaskCompletionSource<Point> Received { get; set; } = new();

        public ValueTask HandleAsync(Point message, CancellationToken cancellationToken)
        {
            Received.TrySetResult(message);
            return ValueTask.CompletedTask;
        }
    }
}
