// What a forked child may do with the channels that its parent had open: nothing but put them away. A descriptor's locks belong to parent
// and child together, so a child that gave back "its" lane would give away its parent's.

using System.Text;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests;

public sealed class ForkTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_forked_child_is_refused_and_its_parent_does_not_notice(bool isSingleThreaded)
    {
        for (int round = 0; round < Campaign.Rounds(5); round++)
        {
            using TestChannel test = new(16 * 1024, maxProducers: 2);
            using ByteConsumer consumer = test.Channel.CreateConsumer();
            using ChildProcess parent = ChildProcess.Start(
                "forker",
                ("root", test.Root), ("channel", TestChannel.Name), ("single", isSingleThreaded ? 1 : 0),
                ("DOTNET_EnableWriteXorExecute", 0), ("DOTNET_TieredCompilation", 0), ("DOTNET_gcConcurrent", 0), ("DOTNET_gcServer", 0));
            Assert.Equal("", string.Join(' ', parent.Expect("child")));
            Assert.Equal(["0", "True"], parent.Expect("parent"));

            List<string> seen = [];
            while (consumer.TryRead(out ShmRecord record))
            {
                seen.Add($"{record.Lane}: {Encoding.UTF8.GetString(record.Payload)}");
            }

            Assert.Equal(["0: before", "0: claimed", "0: after"], seen.Where(message => message[0] == '0'));
            Assert.Equal(["1: child", "1: child"], seen.Where(message => message[0] == '1'));
            Assert.Equal(1, test.Channel.ProducerCount);
            Assert.Equal(2, test.Channel.ConsumerCount);
            Assert.False(consumer.Completion.IsCompleted);

            using ByteProducer other = test.Channel.CreateProducer();
            Assert.Equal(1, other.Lane);
            Assert.Throws<ShmLimitException>(() => test.Channel.CreateProducer()); // lane 0 is still the parent's
            parent.Kill();
            using ByteProducer successor = test.Channel.CreateProducer();
            Assert.Equal(0, successor.Lane);
        }
    }

    [Fact]
    public void Memory_that_is_withheld_from_a_child_is_refused_there_and_what_took_its_place_is_left_alone()
    {
        using ChildProcess parent = ChildProcess.Start(
            "fork-withheld",
            ("DOTNET_EnableWriteXorExecute", 0), ("DOTNET_TieredCompilation", 0), ("DOTNET_gcConcurrent", 0), ("DOTNET_gcServer", 0));
        Assert.Equal("", string.Join(' ', parent.Expect("child")));
        Assert.Equal(["0", "True"], parent.Expect("parent"));
        parent.ExpectEnd();
    }
}
