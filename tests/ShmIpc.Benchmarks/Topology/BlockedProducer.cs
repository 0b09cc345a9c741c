// Whenever a consumer has come: fills its lane, says so, waits for room, and says when it had written again. One line for each.

using System.Diagnostics;
using System.Globalization;
using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Channels;

namespace ShmIpc.Benchmarks.Topology;

internal sealed class BlockedProducer(PartSettings settings) : IPart
{
    public const string BlockedLine = "blocked";

    public Sample Run(Lifeline lifeline)
    {
        byte[] payload = new byte[settings.PayloadBytes];
        using ShmByteChannel channel = Meeting.Open(settings);
        using ByteProducer producer = channel.CreateProducer();
        while (true)
        {
            while (channel.ConsumerCount == 0)
            {
                if (lifeline.StopRequested)
                {
                    return new Sample();
                }

                Thread.Sleep(1);
            }

            while (producer.TryWrite(payload))
            {
            }

            Console.Out.WriteLine(BlockedLine);
            producer.Write(payload);
            long back = Stopwatch.GetTimestamp(); // the same clock in every process
            Console.Out.WriteLine(back.ToString(CultureInfo.InvariantCulture));
        }
    }
}
