// Sends back on a second channel whatever comes on the first.

using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Roles;

internal static class EchoRole
{
    public static void Run(RoleArguments arguments)
    {
        using ShmByteChannel requests = ShmByteChannel.Open(arguments.Channel, arguments.Options);
        using ShmByteChannel replies = ShmByteChannel.Open(arguments.Text("replies"), arguments.Options);
        using ByteConsumer consumer = requests.CreateConsumer();
        using ByteProducer producer = replies.CreateProducer();
        RoleArguments.Say("ready");
        while (consumer.WaitToRead(ChildProcess.Patience))
        {
            while (consumer.TryRead(out ShmRecord record))
            {
                producer.Write(record.Payload);
            }
        }

        RoleArguments.Say("done");
    }
}
