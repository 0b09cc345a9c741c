// Sends every line of a file as a message, as fast as the channel takes them, and behind the last line what must have arrived.
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Hosting;
using ShmIpc.Channels;
using ShmIpc.Examples.Messages;
using ShmIpc.Examples.Terminal;

namespace ShmIpc.Examples.Producer;

internal sealed class ReplayPublisher(ReplaySettings settings, IHostApplicationLifetime lifetime, Outcome outcome)
    : ExampleService(lifetime, outcome)
{
    private static readonly TimeSpan _looksForConsumer = TimeSpan.FromMilliseconds(250);

    private readonly long _run = Random.Shared.NextInt64(1, long.MaxValue);
    private ReplayHash _hash;
    private long _lines;
    private long _textBytes;

    protected override Task<int> RunAsync(CancellationToken stopping) => OnOwnThread(() => Replay(stopping));

    private int Replay(CancellationToken stopping)
    {
        // Elsewhere, because to open a pipe waits for its other end, and Ctrl-C does not.
        using FileStream file = Task.Run(Open, stopping).WaitAsync(stopping).GetAwaiter().GetResult();
        using ShmChannel<ReplayLine> channel = ShmChannel.CreateOrOpen<ReplayLine>(
            settings.Channel.Name, settings.Channel.ToOptions(isSingleThreaded: true));
        using Producer<ReplayLine> producer = channel.CreateProducer();
        WaitForConsumer(channel, stopping);

        long started = Stopwatch.GetTimestamp();
        try
        {
            SendLines(file, channel, producer, stopping);
        }
        catch (OperationCanceledException)
        {
            throw new ExampleException(ExitCode.Interrupted, $"interrupted after {_lines:N0} lines; the replay is not complete.");
        }
        var end = new ReplayEnd(_lines, _textBytes, _hash.Value);
        producer.Write(new ReplayLine(_run, _lines + 1, Stopwatch.GetTimestamp(), default, end), null, stopping);
        Report(Stopwatch.GetElapsedTime(started));
        return ExitCode.Ok;
    }

    private FileStream Open()
    {
        if (Directory.Exists(settings.File))
            throw new ExampleException(ExitCode.Failed, $"{settings.File} is a directory; --replay takes a file.");
        var file = new FileStream(settings.File, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        if (!file.CanSeek && (settings.Lines is not null || settings.Repeat > 1))
        {
            file.Dispose();
            throw new ExampleException(ExitCode.Failed, $"{settings.File} can be read only once; leave out --repeat and --lines.");
        }
        return file;
    }

    // With nobody there the channel keeps the newest messages and forgets the oldest, which is right for a channel and useless for a
    // replay.
    private void WaitForConsumer(ShmChannel<ReplayLine> channel, CancellationToken stopping)
    {
        if (channel.ConsumerCount == 0)
            Console.WriteLine($"Waiting for a consumer on channel '{channel.Name}' ...");
        long started = Stopwatch.GetTimestamp();
        while (channel.ConsumerCount == 0)
        {
            if (Stopwatch.GetElapsedTime(started) >= settings.WaitForConsumer)
                throw new ExampleException(ExitCode.NoPeer, $"no consumer came to channel '{channel.Name}' within "
                    + $"{settings.WaitForConsumer.TotalSeconds:0.###} s. Start `consumer --replay` with the same --channel and --root, "
                    + "or wait longer with --wait-for-consumer.");
            stopping.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(10));
            stopping.ThrowIfCancellationRequested();
        }
    }

    private void SendLines(FileStream file, ShmChannel<ReplayLine> channel, Producer<ReplayLine> producer, CancellationToken stopping)
    {
        var source = new LineSource(file, channel.MaxMessageBytes - ReplayLine.OverheadBytes);
        Pacer? pacer = settings.LinesPerSecond is double rate ? new Pacer(rate) : null;
        long started = Stopwatch.GetTimestamp();
        long looked = started;
        for (long rounds = 0; _lines < (settings.Lines ?? long.MaxValue);)
        {
            stopping.ThrowIfCancellationRequested();
            if (!TryRead(source, channel, out ReadOnlyMemory<byte> text))
            {
                if (_lines == 0)
                    throw new ExampleException(ExitCode.Failed, $"{settings.File} has no lines.");
                if (settings.Lines is null && ++rounds == settings.Repeat)
                    return;
                source.Rewind();
                continue;
            }

            pacer?.Wait(stopping);
            long now = Stopwatch.GetTimestamp();
            producer.Write(new ReplayLine(_run, _lines + 1, now, text, null), null, stopping);
            _lines++;
            _textBytes += text.Length;
            _hash.Add(_lines, text.Span);

            if (Stopwatch.GetElapsedTime(started, now) >= settings.Duration)
                return;
            if (Stopwatch.GetElapsedTime(looked, now) < _looksForConsumer)
                continue;
            looked = now;
            if (channel.ConsumerCount == 0)
                throw new ExampleException(ExitCode.NoPeer, $"the consumer went away; {_lines:N0} lines were sent until then.");
        }
    }

    private bool TryRead(LineSource source, ShmChannel<ReplayLine> channel, out ReadOnlyMemory<byte> text)
    {
        try
        {
            return source.TryRead(out text);
        }
        catch (InvalidDataException e)
        {
            throw new ExampleException(ExitCode.Failed, $"{settings.File}: {e.Message}, which is what one message of this channel can "
                + $"carry (lane capacity {ByteSize.Format(channel.LaneCapacityBytes)}). Use a new channel with a larger --lane-capacity.");
        }
    }

    private void Report(TimeSpan time)
    {
        var sent = new ReplaySent(_lines, _textBytes, _hash.Value.ToString("X8", CultureInfo.InvariantCulture), time.TotalSeconds,
            _lines / time.TotalSeconds);
        Console.WriteLine($"Sent {sent.Lines:N0} lines ({ByteSize.Format(sent.TextBytes)}) in {sent.Seconds:0.000} s: "
            + $"{sent.LinesPerSecond:N0} lines/s, hash {sent.Hash}.");
        JsonFile.Write(settings.JsonPath, sent);
    }
}
