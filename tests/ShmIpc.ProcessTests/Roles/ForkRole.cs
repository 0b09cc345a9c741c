// A process with a channel, a producer, a consumer and an open claim that forks. Its child tries everything with what it inherited, puts
// it away, and opens the channel anew; afterwards the parent goes on as if nothing had been. It touches nothing of .NET that a fork
// disturbs (no Console, no thread pool), and says what happened by plain writes.

using System.Text;
using System.Threading.Channels;
using ShmIpc.Channels;
using ShmIpc.Memory;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.Values;

namespace ShmIpc.ProcessTests.Roles;

internal static class ForkRole
{
    public static void Run(RoleArguments arguments)
    {
        int processId = Environment.ProcessId;
        bool isSingle = arguments.Number("single") != 0;
        ShmChannelOptions options = arguments.Options with { SingleWriter = isSingle, SingleReader = isSingle };
        ShmByteChannel channel = ShmByteChannel.Open(arguments.Channel, options);
        ByteProducer producer = channel.CreateProducer();
        ByteConsumer consumer = channel.CreateConsumer();
        ShmChannel<int> typed = ShmChannel.CreateOrOpen<int>("typed", options);
        Producer<int> typedProducer = typed.CreateProducer();
        Consumer<int> typedConsumer = typed.CreateConsumer();
        SharedValue<int> value = SharedValue.CreateOrOpen<int>("value", new SharedValueOptions { Root = options.Root });
        SharedValueWriter<int> valueWriter = value.CreateWriter();
        valueWriter.Write(1);
        typedProducer.TryWrite(1);
        producer.Write("before"u8);
        _ = consumer.Read(); // in hand at the fork
        Claim claim = producer.Claim(100);
        "claimed"u8.CopyTo(claim.Span);

        ShmByteChannel sealing = ShmByteChannel.CreateOrOpen("sealed", options with { Checksums = true });
        ByteProducer batcher = sealing.CreateProducer();
        ByteConsumer sealedConsumer = sealing.CreateConsumer();
        Batch batch = batcher.BeginBatch();
        batch.Write("one"u8);
        batch.Write("two"u8); // aborting would clear its header, in the parent's lane

        MemoryMapping withheld = MemoryMapping.MapAnonymous(2 * Environment.SystemPageSize);
        withheld.Advise(0, Environment.SystemPageSize, MemoryAdvice.DontFork);
        MemoryMapping inherited = MemoryMapping.MapAnonymous(1);

        int code = Linux.RunForked(() =>
        {
            List<string> wrong = [];
            Refused(wrong, "mapping Read", () => withheld.Read(0, 1, bytes => bytes[0])); // a fault otherwise
            Refused(wrong, "mapping Write", () => withheld.Write(Environment.SystemPageSize, 1));
            Refused(wrong, "mapping IndexOf", () => withheld.IndexOf("\0"u8));
            Refused(wrong, "mapping Writable", () => withheld.Writable(0, 1));
            Refused(wrong, "mapping Lock", () => withheld.Lock());
            withheld.Dispose();
            inherited.Write(0, (byte)7);
            inherited.Dispose();
            Refused(wrong, "Claim.Span", () => _ = OpenClaimOf(producer).Span.Length);
            Refused(wrong, "Batch.TryWrite", () => OpenBatchOf(batcher).TryWrite("child"u8));
            OpenBatchOf(batcher).Dispose();
            Refused(wrong, "Claim.Commit", () => OpenClaimOf(producer).Commit(7));
            Refused(wrong, "TryWrite", () => producer.TryWrite("child"u8));
            Refused(wrong, "Write", () => producer.Write("child"u8));
            Refused(wrong, "WriteAsync", () => producer.WriteAsync("child"u8.ToArray()).AsTask().Wait());
            Refused(wrong, "TryClaim", () => producer.TryClaim(1, out _));
            Refused(wrong, "Claim", () => producer.Claim(1));
            Refused(wrong, "BeginBatch", () => producer.BeginBatch());
            Refused(wrong, "WriteBatch", () => producer.WriteBatch([new byte[1]]));
            Refused(wrong, "typed TryWriteBatch", () => typedProducer.TryWriteBatch([1]));
            Refused(wrong, "TryComplete", () => producer.TryComplete());
            Refused(wrong, "TryRead", () => consumer.TryRead(out _));
            Refused(wrong, "Read", () => consumer.Read());
            Refused(wrong, "WaitToRead", () => consumer.WaitToRead(TimeSpan.Zero));
            Refused(wrong, "WaitToReadAsync", () => consumer.WaitToReadAsync().AsTask().Wait());
            Refused(wrong, "TryReadBatch", () => consumer.TryReadBatch(1, out _));
            Refused(wrong, "Acknowledge", () => consumer.Acknowledge(default));
            Refused(wrong, "Groups", () => _ = channel.Groups);
            Refused(wrong, "DeleteGroup", () => channel.DeleteGroup("none"));
            Refused(wrong, "Count", () => _ = consumer.Count);
            Refused(wrong, "Release", consumer.Release);
            Refused(wrong, "typed TryWrite", () => typedProducer.TryWrite(2));
            Refused(wrong, "typed WaitToWriteAsync", () => typedProducer.WaitToWriteAsync().AsTask().Wait());
            Refused(wrong, "typed TryRead", () => typedConsumer.TryRead(out _));
            Refused(wrong, "typed ReadAllAsync", () => typedConsumer.ReadAllAsync().GetAsyncEnumerator().MoveNextAsync().AsTask().Wait());
            Refused(wrong, "CreateProducer", () => channel.CreateProducer());
            Refused(wrong, "CreateConsumer", () => typed.CreateConsumer());
            Refused(wrong, "ProducerCount", () => _ = channel.ProducerCount);
            Refused(wrong, "value Read", () => value.Read());
            Refused(wrong, "value WaitForChange", () => value.WaitForChange(0, TimeSpan.Zero));
            Refused(wrong, "value Write", () => valueWriter.Write(2));
            Refused(wrong, "value CreateWriter", () => value.CreateWriter());

            valueWriter.Dispose();
            value.Dispose();
            producer.Dispose();
            consumer.Dispose();
            channel.Dispose();
            typedProducer.Dispose();
            typedConsumer.Dispose();
            typed.Dispose();
            try
            {
                OpenAnew(arguments);
            }
            catch (Exception error)
            {
                wrong.Add($"opening anew failed: {error}");
            }

            Linux.WriteRaw(Encoding.UTF8.GetBytes($"child {string.Join("; ", wrong).ReplaceLineEndings(" ")}\n"));
            return wrong.Count;
        });

        claim.Commit(7);
        batch.Publish();
        bool works = sealedConsumer.Read().Payload.SequenceEqual("one"u8) && sealedConsumer.TryRead(out ShmRecord second)
            && second.Payload.SequenceEqual("two"u8);
        works &= valueWriter.Write(3) == 2 && value.HasWriter && value.Read() == 3 && producer.TryWrite("after"u8) && consumer.TryRead(out ShmRecord record) && record.Payload.SequenceEqual("claimed"u8);
        works &= withheld.Read<byte>(0) == 0 && inherited.Read<byte>(0) == 7;
        Linux.WriteRaw(Encoding.UTF8.GetBytes($"parent {code} {works}\n"));
        Thread.Sleep(Timeout.Infinite);

        void Refused(List<string> wrong, string what, Action use)
        {
            try
            {
                use();
                wrong.Add($"{what} went through");
            }
            catch (Exception error)
            {
                ShmForkedProcessException? refusal = (error as AggregateException)?.InnerException as ShmForkedProcessException
                    ?? error as ShmForkedProcessException;
                if (refusal?.Message.Contains($"process {processId},", StringComparison.Ordinal) != true)
                {
                    wrong.Add($"{what}: {error.GetType().Name} {error.Message}");
                }
            }
        }
    }

    /// <summary>A claim cannot be captured; this is the same one again.</summary>
    private static Claim OpenClaimOf(ByteProducer producer) => new(producer, 1, new byte[100]);

    private static Batch OpenBatchOf(ByteProducer producer) => new(producer, 1);

    private static void OpenAnew(RoleArguments arguments)
    {
        using ShmByteChannel channel = ShmByteChannel.Open(arguments.Channel, arguments.Options);
        using ByteConsumer consumer = channel.CreateConsumer();
        using ByteProducer producer = channel.CreateProducer();
        if (producer.Lane != 1 || consumer.Count != 1)
        {
            throw new InvalidOperationException($"The child got lane {producer.Lane} and sees {consumer.Count} messages.");
        }

        producer.Write("child"u8);
        while (!consumer.Read(ChildProcess.Patience).Payload.SequenceEqual("child"u8))
        {
        }

        Task<bool> next = consumer.WaitToReadAsync().AsTask();
        producer.Write("child"u8);
        if (!next.Wait(ChildProcess.Patience) || !next.Result)
        {
            throw new InvalidOperationException("An await in the child does not end.");
        }

        producer.TryComplete(new ChannelClosedException("in the child"));
    }
}
