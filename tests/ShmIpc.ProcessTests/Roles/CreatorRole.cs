// Creates, uses and deletes one channel as fast as it can, or opens it again and again, until it is killed.

using ShmIpc.Channels;

namespace ShmIpc.ProcessTests.Roles;

internal static class CreatorRole
{
    public static void Run(RoleArguments arguments)
    {
        Cycle(arguments); // everything is compiled before the test begins to aim
        RoleArguments.Say("ready");
        RoleArguments.Await("go");
        while (true)
        {
            Cycle(arguments);
        }
    }

    public static void Open(RoleArguments arguments)
    {
        ShmByteChannel.Open(arguments.Channel, arguments.Options).Dispose();
        RoleArguments.Say("ready");
        RoleArguments.Await("go");
        while (true)
        {
            ShmByteChannel.Open(arguments.Channel, arguments.Options).Dispose();
        }
    }

    public static void Cycle(RoleArguments arguments)
    {
        try
        {
            using ShmByteChannel channel = ShmByteChannel.CreateOrOpen(arguments.Channel, arguments.Options);
            using ByteConsumer consumer = channel.CreateConsumer();
            using ByteProducer producer = channel.CreateProducer();
            producer.TryWrite([1, 2, 3]);
        }
        catch (ShmRegionDeletedException)
        {
            // another creator's delete came in between
        }

        ShmChannel.Delete(arguments.Channel, arguments.Options.Root);
    }
}
