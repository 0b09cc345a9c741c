// Bodies and a serializer that tell what has happened in their process before they were called.

using System.Buffers;
using System.Runtime;
using System.Text;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.Serialization;
using ShmIpc.Workers;

namespace ShmIpc.ProcessTests.Workers;

internal static class RehearsalBodies
{
    private static int _calls;

    public static bool FailsOnce { get; set; }

    public static void PreloadThatFailsOnce() => FailsOnce = true;

    public static void PreloadThatWrites() => Console.Error.WriteLine("one line");

    public static void PreloadThatNeverReturns() => Thread.Sleep(Timeout.Infinite);

    public static void PreloadThatForbidsFiles() => Linux.Limit(Linux.RLIMIT_NOFILE, 3);

    /// <summary>What this thread has compiled, which in a forked worker begins with the fork.</summary>
    public static int Compiled(string job, WorkerContext context) => (int)JitInfo.GetCompiledMethodCount(currentThread: true);

    public static int CompiledFor(PoolMessage job, WorkerContext context) => (int)JitInfo.GetCompiledMethodCount(currentThread: true);

    /// <summary>Calls of this body, and of the serializers of its jobs and results, in this process.</summary>
    public static string Count(string job, WorkerContext context) => $"{++_calls} {CountingPayload.Read} {CountingPayload.Written}";

    public static void CountPlain(WorkerContext context)
    {
        Console.WriteLine($"call {++_calls}");
        context.CancellationToken.WaitHandle.WaitOne();
    }

    internal sealed class CountingPayload : IPayloadSerializer<string>
    {
        public CountingPayload()
        {
            if (FailsOnce)
            {
                FailsOnce = false;
                throw new InvalidOperationException("not in a rehearsal");
            }
        }

        public static int Read { get; private set; }

        public static int Written { get; private set; }

        public string Format => "counted";

        public void Serialize(IBufferWriter<byte> destination, string value)
        {
            Written++;
            destination.Write(Encoding.UTF8.GetBytes(value));
        }

        public string Deserialize(ReadOnlyMemory<byte> payload)
        {
            Read++;
            return Encoding.UTF8.GetString(payload.Span);
        }
    }
}
