// memory compare: mapping against the calls that read and write, interleaved, as the Markdown table of docs/memory.md.
using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using ShmIpc.Examples.Terminal;
using ShmIpc.Memory;

namespace ShmIpc.Examples.Memory.Commands;

internal static class CompareCommand
{
    private const int Rounds = 11;
    private const int MostMebibytes = 2047; // what File.ReadAllBytes reads
    private const int BufferBytes = 1 << 20;
    private const int Writes = 20_000;
    private const int RecordBytes = 64;

    private static readonly MemoryMappingOptions _readOnly = new() { Access = MemoryAccess.ReadOnly };
    private static readonly byte[] _needle = "needle at the very end"u8.ToArray();

    private static long _sum; // so that no read can be left out

    public static Command Create()
    {
        var megabytes = new Option<int>("--mib") { Description = "Size of the large file in MiB, up to 2047", DefaultValueFactory = _ => 256 };
        var directory = new Option<string?>("--directory") { Description = "Where the files are made (default: the temporary directory)" };
        var command = new Command("compare", "Measures mapping against reading and writing, as a Markdown table") { megabytes, directory };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(megabytes) is var size && size is < 1 or > MostMebibytes)
                throw new ExampleException(ExitCode.Failed, $"--mib takes a number from 1 to {MostMebibytes}, not {size}.");
            Run((long)size << 20, parsed.GetValue(directory) ?? Path.GetTempPath());
        });
        return command;
    }

    private static void Run(long largeBytes, string directory)
    {
        using var file = new TemporaryFile(Path.Combine(directory, $"memory-compare-{Environment.ProcessId}"));
        string path = file.Path;
        Make(file, largeBytes);
        Console.WriteLine("| what | mapped | other way | time | mapped / other |\n|---|---:|---|---:|---:|");
        string size = ByteSize.Format(largeBytes);
        Row($"search in {size}", Search, ("File.ReadAllBytes + IndexOf", () => File.ReadAllBytes(path).AsSpan().IndexOf(_needle)),
            ("FileStream, 1 MiB buffer", SearchStream));
        Row($"one pass over {size}", PassMapped, ("RandomAccess.Read, 1 MiB buffer", PassRead));
        foreach (int bytes in new[] { 4096, 65_536, 1 << 20 })
        {
            Make(file, bytes);
            Row($"whole file of {ByteSize.Format(bytes)}", Search, ("File.ReadAllBytes", () => File.ReadAllBytes(path).AsSpan().IndexOf(_needle)));
        }
        Make(file, Writes * RecordBytes);
        Row($"{Writes} writes of {RecordBytes} B", WriteMapped, ("RandomAccess.Write", WriteRandom), ("FileStream", WriteStream));

        long Search()
        {
            using var file = MappedFile.Open(path, _readOnly);
            return file.IndexOf(_needle);
        }

        long SearchStream()
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            var buffer = new byte[BufferBytes];
            int kept = 0; // what may be the beginning of a match
            for (int read; (read = file.Read(buffer.AsSpan(kept))) > 0;)
            {
                Span<byte> bytes = buffer.AsSpan(0, kept + read);
                if (bytes.IndexOf(_needle) is var found and >= 0)
                    return file.Position - bytes.Length + found;
                kept = Math.Min(bytes.Length, _needle.Length - 1);
                bytes[^kept..].CopyTo(buffer);
            }
            return -1;
        }

        long PassMapped()
        {
            using var file = MappedFile.Open(path, _readOnly);
            return file.Count("n"u8);
        }

        long PassRead()
        {
            using var file = File.OpenHandle(path);
            var buffer = new byte[BufferBytes];
            long count = 0;
            long at = 0;
            for (int read; (read = RandomAccess.Read(file, buffer, at)) > 0; at += read)
                count += buffer.AsSpan(0, read).Count((byte)'n');
            return count;
        }

        long WriteMapped()
        {
            using var file = MappedFile.Open(path);
            for (int i = 0; i < Writes; i++)
                file.WriteAt((long)i * RecordBytes, new byte[RecordBytes]);
            return 0;
        }

        long WriteRandom()
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write);
            for (int i = 0; i < Writes; i++)
                RandomAccess.Write(file, new byte[RecordBytes], (long)i * RecordBytes);
            return 0;
        }

        long WriteStream()
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Write);
            for (int i = 0; i < Writes; i++)
                file.Write(new byte[RecordBytes]);
            return 0;
        }
    }

    // One of each in turn, so that a slow spell of the machine meets all; the first round warms up. The page cache is warm.
    private static void Row(string what, Func<long> mapped, params (string Name, Func<long> Way)[] others)
    {
        Func<long>[] ways = [mapped, .. others.Select(other => other.Way)];
        double[][] times = [.. ways.Select(_ => new double[Rounds])];
        for (int round = -1; round < Rounds; round++)
        {
            for (int way = 0; way < ways.Length; way++)
            {
                long start = Stopwatch.GetTimestamp();
                _sum += ways[way]();
                if (round >= 0)
                    times[way][round] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
            }
        }
        double[] medians = [.. times.Select(all => all.Order().ElementAt(Rounds / 2))];
        for (int way = 1; way < ways.Length; way++)
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {what} | {medians[0]:0} us | {others[way - 1].Name} | {medians[way]:0} us | {medians[0] / medians[way]:0.00} |"));
        }
    }

    private static void Make(TemporaryFile temporary, long lengthBytes)
    {
        using FileStream file = temporary.Rewrite();
        byte[] block = new byte[BufferBytes];
        for (int i = 0; i < block.Length; i++)
            block[i] = (byte)('a' + i * 7 % 26);
        for (long left = lengthBytes; left > 0; left -= block.Length)
            file.Write(block, 0, (int)Math.Min(left, block.Length));
        file.Position = lengthBytes - _needle.Length;
        file.Write(_needle);
    }
}
