// Survivors that wait for what somebody holds who is going to die, and note the instant at which they are back at work. Each says
// "waiting" first, and afterwards holds what it got: it is the next to die.

using System.Diagnostics;
using System.Runtime.InteropServices;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Roles;

internal static class RecoveryRoles
{
    public const int BackCounter = 0; // in the progress file: when the survivor was back
    public const int RoundCounter = 1; // raised when the blocked producer is to begin anew

    /// <summary>Waits for the only lane, and writes a message.</summary>
    public static void Succeed(RoleArguments task, CancellationToken end)
    {
        using ProgressFile progress = new(task.Text("progress"));
        using ShmByteChannel channel = ShmByteChannel.Open(task.Channel, task.Options);
        Touch(task.Number("ballast-mib"));
        RoleArguments.Say("waiting");
        using ByteProducer producer = channel.CreateProducer(Timeout.InfiniteTimeSpan, end);
        producer.Write("back"u8, Timeout.InfiniteTimeSpan, end);
        progress[BackCounter] = Stopwatch.GetTimestamp();
        end.WaitHandle.WaitOne();
    }

    /// <summary>Stands by, and then reads, and works on what it read.</summary>
    public static void StandBy(RoleArguments task, CancellationToken end)
    {
        using ProgressFile progress = new(task.Text("progress"));
        using ShmByteChannel channel = ShmByteChannel.Open(task.Channel, task.Options);
        using ByteConsumer consumer = channel.CreateConsumer(new ConsumerOptions { Group = task.Text("group"), Durable = true });
        RoleArguments.Say("waiting");
        _ = consumer.Read(Timeout.InfiniteTimeSpan, end);
        progress[BackCounter] = Stopwatch.GetTimestamp();
        end.WaitHandle.WaitOne(); // not acknowledged yet
    }

    /// <summary>Waits for a message in a shared group, and holds it.</summary>
    public static void Inherit(RoleArguments task, CancellationToken end)
    {
        using ProgressFile progress = new(task.Text("progress"));
        using ShmByteChannel channel = ShmByteChannel.Open(task.Channel, task.Options);
        using ByteConsumer consumer = channel.CreateConsumer(new ConsumerOptions
        {
            Group = task.Text("group"),
            Kind = GroupKind.Shared,
            Durable = task.Number("durable") != 0,
            Acknowledge = AcknowledgeMode.Manual,
        });
        RoleArguments.Say("waiting");
        _ = consumer.Read(Timeout.InfiniteTimeSpan, end);
        progress[BackCounter] = Stopwatch.GetTimestamp();
        end.WaitHandle.WaitOne();
    }

    /// <summary>A consumer for itself that never reads.</summary>
    public static void Block(RoleArguments task, CancellationToken end)
    {
        using ShmByteChannel channel = ShmByteChannel.Open(task.Channel, task.Options);
        using ByteConsumer consumer = channel.CreateConsumer();
        RoleArguments.Say("waiting");
        end.WaitHandle.WaitOne();
    }

    /// <summary>Fills its lane in each round, and waits for room.</summary>
    public static void BeBlocked(RoleArguments task, CancellationToken end)
    {
        using ProgressFile progress = new(task.Text("progress"));
        using ShmByteChannel channel = ShmByteChannel.Open(task.Channel, task.Options);
        using ByteProducer producer = channel.CreateProducer();
        byte[] message = new byte[100];
        for (long round = 1; ; round++)
        {
            while (progress[RoundCounter] < round)
            {
                end.ThrowIfCancellationRequested();
                Thread.Sleep(1);
            }

            while (producer.TryWrite(message))
            {
            }

            RoleArguments.Say("waiting");
            producer.Write(message, Timeout.InfiniteTimeSpan, end);
            progress[BackCounter] = Stopwatch.GetTimestamp();
        }
    }

    /// <summary>Private memory, every page of it in use.</summary>
    private static unsafe void Touch(long mebibytes)
    {
        byte* memory = (byte*)NativeMemory.Alloc((nuint)mebibytes << 20);
        for (long i = 0; i < mebibytes << 20; i += Environment.SystemPageSize)
        {
            memory[i] = 1;
        }
    }
}
