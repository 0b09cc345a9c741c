using ShmIpc.Serialization;
using Xunit;

namespace ShmIpc.Tests.Serialization;

public sealed class AllocationTests
{
    private const int Messages = 20_000;

    [Fact]
    public void A_blittable_struct_crosses_without_allocation()
    {
        using SerializerScene<Quote> scene = new(new BlittablePayload<Quote>());
        Assert.Equal(0, AllocatedBy(scene, new Quote(1, 2.5, 3.75m, true, new DateTime(2026, 11, 23))));
    }

    [Fact]
    public void Text_and_bytes_allocate_what_the_reader_gets_and_nothing_else()
    {
        using SerializerScene<string> texts = new(new StringPayload());
        string text = new('x', 100);
        Assert.Equal(Messages * Allocated(() => new string('y', 100)), AllocatedBy(texts, text));
        using SerializerScene<byte[]> bytes = new(new BytesPayload());
        Assert.Equal(Messages * Allocated(() => new byte[100]), AllocatedBy(bytes, new byte[100]));
    }

    private static long AllocatedBy<T>(SerializerScene<T> scene, T message)
    {
        Exchange(scene, message);
        return AllocatedBytes.Of(() => Exchange(scene, message));
    }

    private static long Allocated(Func<object> act)
    {
        act();
        return AllocatedBytes.Of(() => GC.KeepAlive(act()));
    }

    private static void Exchange<T>(SerializerScene<T> scene, T message)
    {
        for (int i = 0; i < Messages; i++)
        {
            if (!scene.Producer.TryWrite(message) || !scene.Consumer.TryRead(out _))
            {
                throw new InvalidOperationException("The message did not cross.");
            }
        }
    }

    private readonly record struct Quote(long Id, double Price, decimal Amount, bool IsBid, DateTime Time);
}
