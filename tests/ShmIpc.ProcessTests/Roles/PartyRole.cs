// A participant that does what it is told, line by line, and says how it went: "ok ..." or "refused TYPE MESSAGE". For tests in which
// it matters where a process stands (its user, its namespaces) and less what it does.

using System.Diagnostics;
using System.Globalization;
using ShmIpc.Channels;
using ShmIpc.ProcessTests.Harness;

namespace ShmIpc.ProcessTests.Roles;

internal static class PartyRole
{
    public static void Run(RoleArguments arguments)
    {
        if (arguments.TryText("dumpable") == "0")
        {
            Linux.BecomeUndumpable();
        }

        using Guest guest = new();
        RoleArguments.Say("ready");
        while (Console.In.ReadLine() is { } line)
        {
            try
            {
                RoleArguments.Say($"ok {guest.Do(line.Split(' '))}".TrimEnd());
            }
            catch (Exception error) when (error is ShmException or UnauthorizedAccessException or TimeoutException)
            {
                RoleArguments.Say($"refused {error.GetType().Name} {error.Message.ReplaceLineEndings(" ")}");
            }
        }
    }

    private sealed class Guest : IDisposable
    {
        private ShmByteChannel? _channel;
        private ByteProducer? _producer;
        private ByteConsumer? _consumer;

        public string Do(string[] words)
        {
            switch (words[0])
            {
                case "create": _channel = ShmByteChannel.Create(words[2], Options(words[1])); return "";
                case "create-large":
                    ShmChannelOptions large = new() { Root = words[1], LaneCapacityBytes = Number(words[3]), MaxProducers = 1 };
                    _channel = ShmByteChannel.Create(words[2], large);
                    return "";
                case "open": _channel = ShmByteChannel.Open(words[2], new ShmChannelOptions { Root = words[1] }); return "";
                case "create-or-open": _channel = ShmByteChannel.CreateOrOpen(words[2], Options(words[1])); return "";
                case "exists": return ShmChannel.Exists(words[2], words[1]) ? "yes" : "no";
                case "delete": return ShmChannel.Delete(words[2], words[1]) ? "yes" : "no";
                case "close": Dispose(); return "";
                case "produce": _producer = _channel!.CreateProducer(); return _producer.Lane.ToString(CultureInfo.InvariantCulture);
                case "consume":
                    _consumer = _channel!.CreateConsumer(words.Length > 1 ? new ConsumerOptions { Group = words[1] } : null);
                    return "";
                case "write": Write(Number(words[1]), Number(words[2]), Number(words[3])); return "";
                case "read": Read(Number(words[1]), Number(words[2]), Number(words[3])); return "";
                case "await": Await(); return "";
                case "time-out": return TimeOut(TimeSpan.FromMilliseconds(Number(words[1])));
                case "active": return _consumer!.IsActive ? "yes" : "no";
                case "counts": return $"{_channel!.ProducerCount} {_channel.ConsumerCount}";
                case "members":
                    return string.Join(' ', _channel!.Groups.SelectMany(group => group.Members).Select(member => member.ProcessId));
                case "id": return $"{Environment.ProcessId}";
                case "clock": return $"{Stopwatch.GetElapsedTime(0).TotalSeconds:F0} {DateTime.UtcNow.Year}";
                default: throw new ArgumentException($"There is no command {words[0]}.");
            }
        }

        public void Dispose()
        {
            _producer?.Dispose();
            _consumer?.Dispose();
            _channel?.Dispose();
            (_producer, _consumer, _channel) = (null, null, null);
        }

        private static ShmChannelOptions Options(string root) =>
            new() { Root = root, LaneCapacityBytes = 64 * 1024, MaxProducers = 4, MaxGroups = 8, MaxParticipants = 16 };

        private static long Number(string word) => long.Parse(word, CultureInfo.InvariantCulture);

        private void Write(long producer, long from, long count)
        {
            Span<byte> buffer = stackalloc byte[Message.MaxBytes];
            for (long number = from; number < from + count; number++)
            {
                Span<byte> payload = buffer[..Message.Length(producer, number)];
                Message.Fill(payload, producer, number);
                _producer!.Write(payload, ChildProcess.Patience);
            }
        }

        private void Read(long producer, long from, long count)
        {
            for (long number = from; number < from + count; number++)
            {
                if (Message.Differs(_consumer!.Read(ChildProcess.Patience).Payload, producer, number) is { } difference)
                {
                    throw new InvalidOperationException(difference);
                }
            }
        }

        private void Await()
        {
            if (!_consumer!.WaitToReadAsync().AsTask().WaitAsync(ChildProcess.Patience).GetAwaiter().GetResult())
            {
                throw new InvalidOperationException("The channel has completed.");
            }
        }

        /// <summary>Three ways of waiting in vain; how long they took together, in milliseconds.</summary>
        private string TimeOut(TimeSpan timeout)
        {
            using ByteConsumer consumer = _channel!.CreateConsumer(new ConsumerOptions { Start = StartPosition.Latest });
            using ByteConsumer other = _channel!.CreateConsumer(new ConsumerOptions { Start = StartPosition.Latest });
            long start = Stopwatch.GetTimestamp();
            int ended = 0;
            try
            {
                _ = consumer.Read(timeout);
            }
            catch (TimeoutException)
            {
                ended++;
            }

            ended += consumer.WaitToRead(timeout) ? 0 : 1;
            ended += ShmChannel.WaitAny([consumer, other], timeout) < 0 ? 1 : 0;
            return $"{ended} {Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0}";
        }
    }
}
