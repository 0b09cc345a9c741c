// Producers that replay a stream (Message.cs) until they are killed, and consumers that check it.

using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.Waiting;

namespace ShmIpc.ProcessTests.Roles;

internal static class StreamRoles
{
    public const int BatchMessages = 8;
    public const int StopCounter = 511; // in the progress file: not 0 = the producers have written enough

    /// <summary>Writes messages 0, 1, ... of its stream, until it is told to stop; its progress counter is how many are certainly
    /// committed.</summary>
    public static void Write(RoleArguments arguments)
    {
        long id = arguments.Number("id");
        long count = arguments.Number("count");
        string mode = arguments.Text("mode");
        int counter = (int)id;
        using ProgressFile progress = new(arguments.Text("progress"));
        using ShmByteChannel channel = ShmByteChannel.Open(arguments.Channel, arguments.Options);
        RoleArguments.Say("ready");
        RoleArguments.Await("go");
        using ByteProducer producer = channel.CreateProducer();
        if (mode == "batch")
        {
            WriteBatches(producer, id, count, progress);
            count = 0;
        }

        long number = 0;
        for (; number < count && progress[StopCounter] == 0; number++)
        {
            if (mode == "claim")
            {
                WriteClaim(producer, id, number);
            }
            else
            {
                WriteCopy(producer, id, number);
            }

            progress[counter] = number + 1;
        }

        producer.TryComplete();
        RoleArguments.Say(FormattableString.Invariant($"done {number}"));
    }

    /// <summary>Checks everything until the producers have completed; its progress counter is how many messages it has seen.</summary>
    public static void Read(RoleArguments arguments)
    {
        using ProgressFile progress = new(arguments.Text("progress"));
        int counter = (int)arguments.Number("counter");
        using ShmByteChannel channel = ShmByteChannel.Open(arguments.Channel, arguments.Options);
        using ByteConsumer consumer = channel.CreateConsumer();
        StreamChecker checker = new(isLate: arguments.Number("late") != 0);
        RoleArguments.Say("ready");
        while (!consumer.Completion.IsCompleted)
        {
            while (consumer.TryRead(out ShmRecord record))
            {
                checker.Check(record);
                progress[counter] = checker.Total;
            }

            consumer.WaitToRead(ChildProcess.Patience);
        }

        RoleArguments.Say(FormattableString.Invariant($"done {checker.Total}"));
    }

    /// <summary>The same without a thread that waits.</summary>
    public static async Task ReadAsync(RoleArguments arguments)
    {
        using ProgressFile progress = new(arguments.Text("progress"));
        int counter = (int)arguments.Number("counter");
        using ShmByteChannel channel = ShmByteChannel.Open(arguments.Channel, arguments.Options);
        using ByteConsumer consumer = channel.CreateConsumer();
        StreamChecker checker = new();
        RoleArguments.Say("ready");
        while (await consumer.WaitToReadAsync())
        {
            while (checker.DrainSome(consumer))
            {
                progress[counter] = checker.Total;
            }

            progress[counter] = checker.Total;
        }

        RoleArguments.Say(FormattableString.Invariant($"done {checker.Total}"));
    }

    private static void WriteCopy(ByteProducer producer, long id, long number)
    {
        Span<byte> payload = stackalloc byte[Message.MaxBytes];
        payload = payload[..Message.Length(id, number)];
        Message.Fill(payload, id, number);
        producer.Write(payload);
    }

    /// <summary>Scribbles over the whole claim before the message goes in; now and then a claim is aborted first.</summary>
    private static void WriteClaim(ByteProducer producer, long id, long number)
    {
        if (number % 5 == 0)
        {
            using Claim aborted = producer.Claim(Message.MaxBytes);
            aborted.Span.Fill(0xFF);
        }

        using Claim claim = producer.Claim(Message.MaxBytes);
        claim.Span.Fill(0xFF);
        int length = Message.Length(id, number);
        Message.Fill(claim.Span[..length], id, number);
        claim.Commit(length);
    }

    /// <summary>Batch after batch, in each way in which a batch can be written; now and then one is aborted first.</summary>
    private static void WriteBatches(ByteProducer producer, long id, long count, ProgressFile progress)
    {
        byte[] buffer = new byte[BatchMessages * Message.MaxBytes];
        ReadOnlyMemory<byte>[] payloads = new ReadOnlyMemory<byte>[BatchMessages];
        for (long number = 0; number < count; number += BatchMessages)
        {
            if (number / BatchMessages % 5 == 0)
            {
                using Batch aborted = producer.BeginBatch();
                aborted.Write(buffer.AsSpan(0, Message.MaxBytes));
                aborted.Write(buffer.AsSpan(0, 100));
            }

            if (number / BatchMessages % 2 == 0)
            {
                for (int i = 0; i < BatchMessages; i++)
                {
                    Memory<byte> payload = buffer.AsMemory(i * Message.MaxBytes, Message.Length(id, number + i));
                    Message.Fill(payload.Span, id, number + i);
                    payloads[i] = payload;
                }

                producer.WriteBatch(payloads);
            }
            else
            {
                WriteOneByOne(producer, id, number);
            }

            progress[(int)id] = number + BatchMessages;
        }
    }

    private static void WriteOneByOne(ByteProducer producer, long id, long number)
    {
        using Batch batch = producer.BeginBatch();
        for (long next = number; next < number + BatchMessages; next++)
        {
            using Claim claim = batch.Claim(Message.MaxBytes);
            claim.Span.Fill(0xFF);
            int length = Message.Length(id, next);
            Message.Fill(claim.Span[..length], id, next);
            claim.Commit(length);
        }

        batch.Publish();
    }
}
