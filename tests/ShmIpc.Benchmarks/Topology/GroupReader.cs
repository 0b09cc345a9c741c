// All groups in one thread: whenever it is its turn, reads what was published once for each, checks it, and hands the turn back.

using ShmIpc.Benchmarks.Measuring;
using ShmIpc.Benchmarks.Transports.OfChannels;
using ShmIpc.Channels;

namespace ShmIpc.Benchmarks.Topology;

internal sealed class GroupReader(PartSettings settings) : IPart
{
    public Sample Run(Lifeline lifeline)
    {
        byte[] payload = new byte[settings.PayloadBytes];
        using ShmByteChannel channel = Meeting.Open(settings);
        ByteConsumer[] consumers = [.. Enumerable.Range(0, settings.Peers).Select(_ => Meeting.CreateConsumer(channel, settings))];
        Numbers[] numbers = [.. consumers.Select(_ => new Numbers())];
        using Turns turns = new(settings, isPublisher: false);
        long count = 0;
        for (long messages; (messages = turns.Take()) != 0; count += messages)
        {
            for (int group = 0; group < consumers.Length; group++)
            {
                ChannelReceiver receiver = new(consumers[group]);
                for (long i = 0; i < messages; i++)
                {
                    receiver.Receive(payload);
                    numbers[group].Check(payload);
                }

                consumers[group].Release();
            }

            turns.Give(messages);
        }

        Array.ForEach(consumers, consumer => consumer.Dispose());
        return new Sample { Operations = count, Checksum = Numbers.SumOf(0, (ulong)count), Preemptions = Measurement.Preemptions() };
    }
}
