// Publishes and reads with all system calls forbidden: the kernel kills the thread at the first one.

using System.Runtime.CompilerServices;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Roles;

internal static class SilentRole
{
    public static void Run(RoleArguments arguments)
    {
        using ShmByteChannel channel = ShmByteChannel.Open(arguments.Channel, arguments.Options);
        using ByteProducer producer = channel.CreateProducer();
        using ByteConsumer consumer = channel.CreateConsumer();
        Exchange(producer, consumer, 10_000); // with DOTNET_TieredCompilation=0 everything is compiled for good after this
        Linux.WriteRaw("warm\n"u8);
        RoleArguments.Say("ready");
        RoleArguments.Await("go");
        if (!Linux.TryForbidSystemCalls())
        {
            throw new InvalidOperationException("The kernel does not let this thread forbid its own system calls.");
        }

        Exchange(producer, consumer, (int)arguments.Number("messages"));
        Linux.WriteRaw("silent\n"u8);
        Thread.Sleep(Timeout.Infinite); // the kernel kills this thread here
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Exchange(ByteProducer producer, ByteConsumer consumer, int messages)
    {
        Span<byte> payload = stackalloc byte[64];
        for (int i = 0; i < messages; i++)
        {
            if (!producer.TryWrite(payload) || !producer.TryClaim(64, out Claim claim))
            {
                throw new InvalidOperationException("The lane is full.");
            }

            claim.Commit(64);
            if (!consumer.TryRead(out _) || !consumer.TryRead(out _) || consumer.TryRead(out _))
            {
                throw new InvalidOperationException("Not exactly two messages came.");
            }
        }
    }
}
