// Native code end to end: a typed channel with a serializer of its own, waiting in every way, the byte level, and the serializers that
// need no run-time code. Exit code 0 and "ok", or an exception.

using ShmIpc.AotSmoke;
using ShmIpc.Channels;
using ShmIpc.Serialization;

const int Messages = 10_000;
string root = Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"shmipc-aot-{Environment.ProcessId}");
Directory.CreateDirectory(root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
try
{
    ShmChannelOptions options = new() { Root = root, LaneCapacityBytes = 4096 };
    using ShmChannel<string> channel = ShmChannel.Create("texts", new Utf8Text(), options);
    using Producer<string> producer = channel.CreateProducer();
    using Consumer<string> consumer = channel.CreateConsumer();
    Task writing = Task.Run(async () =>
    {
        for (int i = 0; i < Messages; i++)
        {
            await producer.WriteAsync($"message {i}");
        }

        producer.Complete();
    });
    int read = 0;
    await foreach (string text in consumer.ReadAllAsync())
    {
        Check(text == $"message {read++}", text);
    }

    await writing;
    Check(read == Messages, $"{read} messages");

    using ShmByteChannel bytes = ShmByteChannel.Create("bytes", options);
    using ByteProducer byteProducer = bytes.CreateProducer();
    using ByteConsumer byteConsumer = bytes.CreateConsumer();
    using (Claim claim = byteProducer.Claim(16))
    {
        "native"u8.CopyTo(claim.Span);
        claim.Commit(6);
    }

    Check(byteConsumer.Read(TimeSpan.FromSeconds(10)).Payload.SequenceEqual("native"u8), "the claimed message");
    using ShmChannel<byte[]> compressed = ShmChannel.Create("compressed", new BrotliPayload<byte[]>(new BytesPayload()), options);
    using Producer<byte[]> compressing = compressed.CreateProducer();
    using Consumer<byte[]> decompressing = compressed.CreateConsumer();
    compressing.Write(new byte[100_000]);
    Check(decompressing.Read().Length == 100_000, "the compressed message");

    string unexpected = string.Join("; ", Structs.Try(options));
    Check(unexpected.Length == 0, unexpected);
    Console.WriteLine($"ok: {read} messages in native code");
}
finally
{
    Directory.Delete(root, recursive: true);
}

static void Check(bool isTrue, string what)
{
    if (!isTrue)
    {
        throw new InvalidOperationException($"Unexpected: {what}");
    }
}
