// What a consumer costs while nothing comes: a thread that sleeps in Read, or a pending await, which the hub's thread serves. The figures
// are of that thread. Those of the whole process go into the results, too: the runtime's compiler may still be at work there.

using System.Diagnostics;
using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Channels;
using ShmIpc.Waiting;

namespace ShmIpc.Benchmarks.Topology;

internal sealed class IdleConsumer(PartSettings settings) : IPart
{
    public const string CpuPercent = "cpuPercent";
    public const string WakeUpsPerSecond = "wakeUpsPerSecond";

    public const string ProcessCpuPercent = "processCpuPercent";
    public const string ProcessWakeUpsPerSecond = "processWakeUpsPerSecond";

    private const string Reader = "reader";
    private const string Hub = "ShmIpc hub";
    private const int Messages = 300; // one by one, so that looking, sleeping and waking are compiled for good

    private long _read;

    public Sample Run(Lifeline lifeline)
    {
        byte[] payload = new byte[settings.PayloadBytes];
        using ShmByteChannel channel = Meeting.Open(settings);
        using ByteConsumer consumer = channel.CreateConsumer();
        using ByteProducer producer = channel.CreateProducer();
        if (settings.Part == Part.IdleAwait)
        {
            _ = ReadAsync(consumer);
        }
        else
        {
            new Thread(settings.Part == Part.Idle ? () => Read(consumer) : Sleep) { IsBackground = true, Name = Reader }.Start();
        }

        for (int i = 0; i < Messages && settings.Part != Part.IdleSleep; i++)
        {
            producer.Write(payload);
            Rendezvous.WaitUntil(() => Volatile.Read(ref _read) > i, "reading of a message");
        }

        Thread.Sleep(settings.WarmUp);
        string waiting = settings.Part == Part.IdleAwait ? Hub : Reader;
        (long processCpuBefore, long processSleepsBefore) = ProcFiles.ThreadCosts(null);
        (long cpuBefore, long sleepsBefore) = ProcFiles.ThreadCosts(waiting);
        long start = Stopwatch.GetTimestamp();
        Thread.Sleep(settings.Measure);
        (long cpu, long sleeps) = ProcFiles.ThreadCosts(waiting);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        (long processCpu, long processSleeps) = ProcFiles.ThreadCosts(null);
        if (sleeps == 0)
        {
            throw new InvalidOperationException($"There is no thread \"{waiting}\" that sleeps.");
        }

        return new Sample
        {
            Seconds = seconds,
            Figures = new Dictionary<string, double>
            {
                [CpuPercent] = Percent(cpu - cpuBefore, seconds),
                [WakeUpsPerSecond] = (sleeps - sleepsBefore) / seconds,
                [ProcessCpuPercent] = Percent(processCpu - processCpuBefore, seconds),
                [ProcessWakeUpsPerSecond] = (processSleeps - processSleepsBefore) / seconds,
            },
        };
    }

    private static double Percent(long cpuNs, double seconds) => cpuNs / 1e9 / seconds * 100;

    private static void Sleep()
    {
        while (true)
        {
            Thread.Sleep(WaitingRoom.MaxPark);
        }
    }

    // Either ends with the process: nothing wakes it any more.
    private void Read(ByteConsumer consumer)
    {
        while (true)
        {
            try
            {
                _ = consumer.Read();
            }
            catch (ObjectDisposedException)
            {
                return;
            }

            Volatile.Write(ref _read, _read + 1);
        }
    }

    private async Task ReadAsync(ByteConsumer consumer)
    {
        while (await consumer.WaitToReadAsync())
        {
            while (consumer.TryRead(out _))
            {
                Volatile.Write(ref _read, _read + 1);
            }
        }
    }
}
