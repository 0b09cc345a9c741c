// A consumer with a bug: it writes into the message that it was given to read.

using System.Runtime.InteropServices;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Roles;

internal static class ScribblerRole
{
    public static void Run(RoleArguments arguments)
    {
        Linux.DisableCoreDump();
        using ShmByteChannel channel = ShmByteChannel.Open(arguments.Channel, arguments.Options);
        using ByteConsumer consumer = channel.CreateConsumer();
        RoleArguments.Say("ready");
        RoleArguments.Await("go");
        ShmRecord record = consumer.Read(ChildProcess.Patience);
        MemoryMarshal.GetReference(record.Payload) ^= 0xFF;
        RoleArguments.Say("survived");
    }
}
