// One producer and one consumer of many small messages: order, content, and that a message costs no allocation on either side.

using System.Diagnostics;
using System.Runtime.InteropServices;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Roles;

internal static class BurstRoles
{
    private const int PayloadBytes = 64;

    public static void Write(RoleArguments arguments)
    {
        long count = arguments.Number("count");
        using ShmByteChannel channel = ShmByteChannel.Open(arguments.Channel, arguments.Options);
        using ByteProducer producer = channel.CreateProducer();
        RoleArguments.Say("ready");
        RoleArguments.Await("go");
        Span<byte> payload = stackalloc byte[PayloadBytes];
        Span<ulong> words = MemoryMarshal.Cast<byte, ulong>(payload);
        Steady steady = new(count);
        ulong checksum = 0;
        for (long number = 0; number < count; number++)
        {
            steady.At(number);
            words[0] = (ulong)number;
            for (int i = 1; i < words.Length; i++)
            {
                words[i] = words[i - 1] * 0x9E37_79B9_7F4A_7C15 + 1;
            }

            checksum = Add(checksum, words);
            producer.Write(payload, ChildProcess.Patience);
        }

        RoleArguments.Say(steady.Report(checksum));
    }

    public static void Read(RoleArguments arguments)
    {
        long count = arguments.Number("count");
        using ShmByteChannel channel = ShmByteChannel.Open(arguments.Channel, arguments.Options);
        using ByteConsumer consumer = channel.CreateConsumer();
        RoleArguments.Say("ready");
        consumer.WaitToRead(ChildProcess.Patience);
        Sleepers.Await(arguments.Channel, arguments.Options, region => region.Writers); // both have parked once before the steady state
        Steady steady = new(count);
        ulong checksum = 0;
        for (long number = 0; number < count; number++)
        {
            steady.At(number);
            ReadOnlySpan<byte> payload = consumer.Read(ChildProcess.Patience).Payload;
            ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(payload);
            if (payload.Length != PayloadBytes || words[0] != (ulong)number)
            {
                throw new InvalidOperationException($"Message {words[0]} of {payload.Length} bytes came instead of {number}.");
            }

            checksum = Add(checksum, words);
        }

        RoleArguments.Say(steady.Report(checksum));
    }

    private static ulong Add(ulong checksum, ReadOnlySpan<ulong> words)
    {
        foreach (ulong word in words)
        {
            checksum = (checksum ^ word) * 0xD6E8_FEB8_6659_FD93;
        }

        return checksum;
    }

    /// <summary>What the calling thread allocated in a tenth of the messages, and how long it took, once the first tenth has warmed
    /// everything up. The runtime allocates now and then, too; it only ever adds, so the least of the tenths counts.</summary>
    private struct Steady(long count)
    {
        private readonly long _count = count;
        private readonly long _tenth = count / 10;
        private long _startTicks;
        private long _startBytes;
        private long _least = long.MaxValue;

        public void At(long number)
        {
            if (number == 0 || number % _tenth != 0)
            {
                return;
            }

            if (number == _tenth)
            {
                _startTicks = Stopwatch.GetTimestamp();
            }
            else
            {
                _least = Math.Min(_least, GC.GetAllocatedBytesForCurrentThread() - _startBytes);
            }

            _startBytes = GC.GetAllocatedBytesForCurrentThread();
        }

        public readonly string Report(ulong checksum)
        {
            TimeSpan elapsed = Stopwatch.GetElapsedTime(_startTicks);
            return FormattableString.Invariant($"done {checksum:X16} {_least} {(_count - _tenth) / elapsed.TotalSeconds:F0}");
        }
    }
}
