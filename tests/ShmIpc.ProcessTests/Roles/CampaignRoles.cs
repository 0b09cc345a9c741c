// The parts that children play in the random campaign (Campaigns/). Whoever sees anything wrong throws: an actor that ends by itself is
// a failure, with what it wrote to stderr.
//
// A message is that of Message.cs, of 16 bytes at least, so that each says whose and which it is.

using System.Buffers.Binary;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.Serialization;
using ShmIpc.Tests.Values;
using ShmIpc.Values;

namespace ShmIpc.ProcessTests.Roles;

internal static class CampaignRoles
{
    /// <summary>Producers are numbered through all episodes; this many an episode.</summary>
    public const int ProducersOfEpisode = 512;

    /// <summary>Most messages of one producer.</summary>
    public const int MostMessages = 1 << 17;

    public const int BatchMessages = 8;
    private const int HeadBytes = 16;
    private const int MostOfBurst = 32;
    private const int MostPauseMs = 20;

    /// <summary>Writes bursts of messages, with pauses. Its progress counter is how many are certainly committed.</summary>
    public static async Task Produce(RoleArguments task, CancellationToken end)
    {
        using ProgressFile progress = new(task.Text("progress"));
        using ShmByteChannel channel = ShmByteChannel.Open(task.Channel, task.Options);
        long id = task.Number("id");
        int counter = (int)(id % ProducersOfEpisode);
        string mode = task.Text("mode");
        bool isFlushing = task.Number("flush") != 0;
        Random random = new((int)id);
        byte[] buffer = new byte[BatchMessages * Message.MaxBytes];
        using ByteProducer producer = channel.CreateProducer(Timeout.InfiniteTimeSpan, end);
        for (long number = 0; number < MostMessages - (2 * BatchMessages);)
        {
            long enough = Math.Min(number + random.Next(1, MostOfBurst), MostMessages - (2 * BatchMessages));
            while (number < enough)
            {
                switch (mode)
                {
                    case "claim":
                        WriteClaim(producer, id, number++, end);
                        break;
                    case "batch":
                        WriteOneByOne(producer, id, number, end);
                        number += BatchMessages;
                        break;
                    case "batch-async":
                        await producer.WriteBatchAsync(Whole(buffer, id, number, BatchMessages), end);
                        number += BatchMessages;
                        break;
                    case "async":
                        await producer.WriteAsync(Whole(buffer, id, number++, 1)[0], end);
                        break;
                    default:
                        producer.Write(Whole(buffer, id, number++, 1)[0].Span, Timeout.InfiniteTimeSpan, end);
                        break;
                }

                progress[counter] = number;
            }

            if (isFlushing && random.Next(20) == 0)
            {
                producer.Flush();
            }

            if (end.WaitHandle.WaitOne(random.Next(1, MostPauseMs)))
            {
                return;
            }
        }
    }

    /// <summary>Reads as a member of a group, or as a group of its own, and notes what it got in the group's ledger.</summary>
    public static async Task Read(RoleArguments task, CancellationToken end)
    {
        using ProgressFile progress = new(task.Text("progress"));
        using Ledger ledger = new(task.Text("ledger"), ProducersOfEpisode, MostMessages);
        int most = (int)task.Number("in-flight");
        string group = task.Text("group");
        GroupKind kind = Enum.Parse<GroupKind>(task.Text("kind"));
        ConsumerOptions? options = group.Length == 0 ? null : new ConsumerOptions
        {
            Group = group,
            Kind = kind,
            Durable = task.Number("durable") != 0,
            Acknowledge = most > 0 ? AcknowledgeMode.Manual : AcknowledgeMode.Auto,
            MaxInFlight = Math.Max(most, 1),
        };
        GroupReader reader = new(ledger, kind, task.Number("durable") != 0, task.Number("episode"), most, (int)task.Number("seed"));
        string mode = task.Text("mode");
        if (mode == "typed")
        {
            using ShmChannel<byte[]> typed = ShmChannel.Open(task.Channel, new BytesPayload(), task.Options);
            using Consumer<byte[]> consumer = Patiently(() => typed.CreateConsumer(options), end);
            progress[(int)task.Number("seat")] = task.Number("incarnation");
            await reader.ReadTyped(consumer, group.Length == 0, end);
            return;
        }

        using ShmByteChannel channel = ShmByteChannel.Open(task.Channel, task.Options);
        using ByteConsumer plain = Patiently(() => channel.CreateConsumer(options), end);
        progress[(int)task.Number("seat")] = task.Number("incarnation");
        await (mode switch
        {
            "async" => reader.ReadAsync(plain, end),
            "batch" => reader.ReadBatches(plain, end),
            _ => reader.Read(plain, end),
        });
    }

    /// <summary>Reads what may be overwritten: each producer's messages in order, and no gap that was not announced.</summary>
    public static async Task ReadLossy(RoleArguments task, CancellationToken end)
    {
        using ShmByteChannel channel = ShmByteChannel.Open(task.Channel, task.Options);
        string group = task.Text("group");
        using ByteConsumer reader = Patiently(
            () => group switch
            {
                "observer" => channel.CreateObserver(StartPosition.Latest),
                "" => channel.CreateConsumer(),
                _ => channel.CreateConsumer(new ConsumerOptions { Group = group }),
            },
            end);
        bool isAsync = task.Text("mode") == "async";
        Random random = new((int)task.Number("seed"));
        Dictionary<long, long> next = [];
        Dictionary<int, long> sequences = [];
        long gaps = 0;
        while (isAsync ? await reader.WaitToReadAsync(end) : reader.WaitToRead(ChildProcess.Patience, end) || !end.IsCancellationRequested)
        {
            while (reader.TryRead(out ShmRecord record))
            {
                (long producer, long number) = Check(record.Payload);
                gaps += record.Sequence - sequences.GetValueOrDefault(record.Lane, record.Sequence);
                if (number < next.GetValueOrDefault(producer) || record.Sequence < sequences.GetValueOrDefault(record.Lane)
                    || gaps > reader.LostMessages)
                {
                    throw new InvalidOperationException($"Message {number} of producer {producer} "
                        + $"(sequence {record.Sequence}) came where {next.GetValueOrDefault(producer)} "
                        + $"({sequences.GetValueOrDefault(record.Lane)}) was due; {gaps} are missing, {reader.LostMessages} announced.");
                }

                (next[producer], sequences[record.Lane]) = (number + 1, record.Sequence + 1);
                if (random.Next(200) == 0)
                {
                    Thread.Sleep(random.Next(30)); // so that it loses some
                }
            }

            end.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Writes values; its progress counter 0 is the version that was certainly written, by whichever writer.</summary>
    public static async Task WriteValue(RoleArguments task, CancellationToken end)
    {
        using ProgressFile progress = new(task.Text("progress"));
        using SharedValue<Pattern> value = OpenValue(task);
        Random random = new((int)task.Number("seed"));
        using SharedValueWriter<Pattern> writer = value.CreateWriter();
        if (writer.Version != progress[0] && writer.Version != progress[0] + 1)
        {
            throw new InvalidOperationException($"{progress[0]} values were written, and the next writer begins behind {writer.Version}.");
        }

        progress[0] = writer.Version; // else two that die one after the other, each behind its first value, would be two ahead
        while (true)
        {
            for (int burst = random.Next(100); burst > 0; burst--)
            {
                progress[0] = writer.Write(new Pattern(writer.Version + 1, random.Next(8, 3000)));
            }

            await Task.Delay(random.Next(1, MostPauseMs), end);
        }
    }

    /// <summary>Reads values: whole, the right one, none that is older than the one before or than what was certainly written.</summary>
    public static async Task ReadValue(RoleArguments task, CancellationToken end)
    {
        using ProgressFile progress = new(task.Text("progress"));
        using SharedValue<Pattern> value = OpenValue(task);
        bool isAsync = task.Text("mode") == "async";
        long last = 0;
        while (true)
        {
            long least = Math.Max(last, progress[0]);
            if (value.TryRead(out Pattern read, out long version) ? version < least || read.Number != version : least > 0)
            {
                throw new InvalidOperationException($"Version {version}, at {least} or later, is {read}.");
            }

            last = version;
            _ = isAsync ? await value.WaitForChangeAsync(last, end) : value.WaitForChange(last, ChildProcess.Patience, end) ? 1 : 0;
            end.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Creates, uses and deletes a channel, again and again.</summary>
    public static Task Create(RoleArguments task, CancellationToken end)
    {
        while (!end.WaitHandle.WaitOne(10))
        {
            CreatorRole.Cycle(task);
        }

        return Task.CompletedTask;
    }

    /// <summary>Whose and which message it is; it is whole.</summary>
    public static (long Producer, long Number) Check(ReadOnlySpan<byte> payload)
    {
        if (payload.Length >= HeadBytes)
        {
            long producer = BinaryPrimitives.ReadInt64LittleEndian(payload);
            long number = BinaryPrimitives.ReadInt64LittleEndian(payload[8..]);
            Span<byte> expected = stackalloc byte[Message.MaxBytes];
            expected = expected[..Length(producer, number)];
            Message.Fill(expected, producer, number);
            if (payload.SequenceEqual(expected))
            {
                return (producer, number);
            }
        }

        throw new InvalidOperationException($"A message is torn: {Convert.ToHexString(payload)}.");
    }

    private static int Length(long producer, long number) => Math.Max(Message.Length(producer, number), HeadBytes);

    /// <summary>A slot may belong for a while to somebody who died with messages in hand, until a survivor has finished with them; and
    /// whoever is making the group may be stopped.</summary>
    private static T Patiently<T>(Func<T> join, CancellationToken end)
    {
        long until = Environment.TickCount64 + 30_000;
        while (true)
        {
            try
            {
                return join();
            }
            catch (Exception error) when (error is ShmLimitException or TimeoutException && Environment.TickCount64 < until)
            {
                end.ThrowIfCancellationRequested();
                Thread.Sleep(20);
            }
        }
    }

    private static SharedValue<Pattern> OpenValue(RoleArguments task) =>
        SharedValue.Open(task.Channel, new PatternSerializer(), new SharedValueOptions { Root = task.Text("root") });

    private static ReadOnlyMemory<byte>[] Whole(byte[] buffer, long id, long number, int count)
    {
        var payloads = new ReadOnlyMemory<byte>[count];
        for (int i = 0; i < count; i++)
        {
            Memory<byte> payload = buffer.AsMemory(i * Message.MaxBytes, Length(id, number + i));
            Message.Fill(payload.Span, id, number + i);
            payloads[i] = payload;
        }

        return payloads;
    }

    /// <summary>Scribbles over the whole claim before the message goes in; now and then a claim is aborted first.</summary>
    private static void WriteClaim(ByteProducer producer, long id, long number, CancellationToken end)
    {
        if (number % 5 == 0)
        {
            using Claim aborted = producer.Claim(Message.MaxBytes, Timeout.InfiniteTimeSpan, end);
            aborted.Span.Fill(0xFF);
        }

        using Claim claim = producer.Claim(Message.MaxBytes, Timeout.InfiniteTimeSpan, end);
        claim.Span.Fill(0xFF);
        int length = Length(id, number);
        Message.Fill(claim.Span[..length], id, number);
        claim.Commit(length);
    }

    private static void WriteOneByOne(ByteProducer producer, long id, long number, CancellationToken end)
    {
        using Batch batch = producer.BeginBatch();
        for (long next = number; next < number + BatchMessages; next++)
        {
            using Claim claim = batch.Claim(Message.MaxBytes, Timeout.InfiniteTimeSpan, end);
            claim.Span.Fill(0xFF);
            int length = Length(id, next);
            Message.Fill(claim.Span[..length], id, next);
            claim.Commit(length);
        }

        batch.Publish();
    }
}
