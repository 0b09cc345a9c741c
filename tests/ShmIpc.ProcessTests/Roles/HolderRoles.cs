// Children that take something and hold it until they are killed.

using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Roles;

internal static class HolderRoles
{
    /// <summary>A producer with an open claim, full of bytes that look like headers.</summary>
    public static void HoldClaim(RoleArguments arguments)
    {
        using ShmByteChannel channel = ShmByteChannel.Open(arguments.Channel, arguments.Options);
        using ByteProducer producer = channel.CreateProducer();
        using Claim claim = producer.Claim((int)arguments.Number("bytes"));
        claim.Span.Fill(0xFF);
        RoleArguments.Say("ready");
        Thread.Sleep(Timeout.Infinite);
    }

    /// <summary>A consumer that has read some messages, and reads no more.</summary>
    public static void HoldConsumer(RoleArguments arguments)
    {
        using ShmByteChannel channel = ShmByteChannel.Open(arguments.Channel, arguments.Options);
        using ByteConsumer consumer = channel.CreateConsumer();
        for (long read = 0; read < arguments.Number("read"); read++)
        {
            _ = consumer.Read(ChildProcess.Patience);
        }

        RoleArguments.Say("ready");
        Thread.Sleep(Timeout.Infinite);
    }
}
