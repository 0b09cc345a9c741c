// memory copy-on-write FILE: worker processes (this program again, in the hidden sub-command copy-on-write-worker) map one file privately,
// count the words of their part, and then write to it. Until they write, all share the pages of the page cache; what they write is their
// own.
using System.CommandLine;
using System.Diagnostics;
using ShmIpc.Examples.Terminal;
using ShmIpc.Memory;

namespace ShmIpc.Examples.Memory.Commands;

internal static class CopyOnWriteCommand
{
    private static readonly MemoryMappingOptions _private = new() { Sharing = MappingSharing.Private };

    public static IEnumerable<Command> Create()
    {
        var file = new Argument<FileInfo>("FILE") { Description = "A text file" };
        var workers = new Option<int>("--workers") { Description = "How many processes (default: 4)", DefaultValueFactory = _ => 4 };
        const string Text = "Counts the words of a file in several processes that share its pages until they write to them";
        var command = new Command("copy-on-write", Text) { file, workers };
        command.SetAction(parsed => Run(parsed.GetRequiredValue(file).FullName, parsed.GetValue(workers)));

        var part = new Argument<long[]>("PART") { Arity = new(2, 2) };
        var worker = new Command("copy-on-write-worker") { file, part };
        worker.Hidden = true;
        worker.SetAction(parsed => Work(parsed.GetRequiredValue(file).FullName, parsed.GetRequiredValue(part)));
        return [command, worker];
    }

    private static void Run(string path, int count)
    {
        if (count is < 1 or > 64) throw new ExampleException(ExitCode.Failed, $"--workers takes a number from 1 to 64, not {count}.");
        using var mapping = MemoryMapping.MapFile(path, _private);
        if (mapping.LengthBytes > Array.MaxLength)
        {
            throw new ExampleException(ExitCode.Failed, $"{path} is too long: this takes files up to 2 GiB.");
        }

        var before = File.ReadAllBytes(path);
        var begin = Stopwatch.GetTimestamp();
        var expected = CountWords(mapping, 0, mapping.LengthBytes);
        var milliseconds = Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
        Console.WriteLine($"{expected} words in {ByteSize.Format(mapping.LengthBytes)}, counted here in {milliseconds:0.0} ms.");
        Console.WriteLine();
        Console.WriteLine("KiB of the mapping    after reading                 after writing");
        Console.WriteLine("worker     words      Shared_Clean  Private_Dirty   Shared_Clean  Private_Dirty");

        var workers = new List<Process>();
        try
        {
            for (var i = 0; i < count; i++)
            {
                var (from, to) = (mapping.LengthBytes * i / count, mapping.LengthBytes * (i + 1) / count);
                var start = SameProgram.With("copy-on-write-worker", path, $"{from}", $"{to}");
                (start.RedirectStandardInput, start.RedirectStandardOutput) = (true, true);
                workers.Add(Process.Start(start)!);
            }

            string[][] read = [.. workers.Select(Answer)];
            foreach (var worker in workers) worker.StandardInput.WriteLine("write");
            string[][] written = [.. workers.Select(Answer)];
            for (var i = 0; i < count; i++)
            {
                Console.WriteLine($"{i,6} {read[i][0],9} {read[i][1],17} {read[i][2],14} {written[i][1],14} {written[i][2],14}");
            }

            var words = read.Sum(answer => long.Parse(answer[0]));
            var isUnchanged = before.AsSpan().SequenceEqual(File.ReadAllBytes(path));
            Console.WriteLine();
            Console.WriteLine($"{words} words in {count} processes; the file is {(isUnchanged ? "as it was" : "changed")}.");
            if (words != expected || !isUnchanged) throw new ExampleException(ExitCode.Mismatch, "That is not what one process found.");
        }
        finally
        {
            foreach (var worker in workers)
            {
                worker.StandardInput.Close(); // which ends it
                if (!worker.WaitForExit(TimeSpan.FromSeconds(10))) worker.Kill();
                worker.Dispose();
            }
        }
    }

    private static string[] Answer(Process worker) =>
        worker.StandardOutput.ReadLine()?.Split(' ')
        ?? throw new ExampleException(ExitCode.NoPeer, "A worker ended before it was done; its error stands above.");

    private static void Work(string path, long[] part)
    {
        using var mapping = MemoryMapping.MapFile(path, _private);
        var (from, to) = (part[0], part[1]);
        var words = CountWords(mapping, from, to);
        Say(words, mapping);
        if (Console.ReadLine() is null) return;
        mapping.Write(from, (int)(to - from), static text =>
        {
            foreach (ref var character in text)
            {
                if (character is >= (byte)'a' and <= (byte)'z') character -= 32;
            }
        });
        Say(words, mapping);
        Console.ReadLine();
    }

    private static void Say(long words, MemoryMapping mapping)
    {
        var sizes = MappedAt.Of(mapping, 0, withSizes: true).Sizes!;
        Console.WriteLine($"{words} {sizes.SharedCleanBytes / 1024} {sizes.PrivateDirtyBytes / 1024}");
    }

    // A word belongs to the part in which it begins.
    private static long CountWords(MemoryMapping mapping, long from, long to)
    {
        var isInside = from > 0 && mapping.Read<byte>(from - 1) > ' ';
        return mapping.Read(from, checked((int)(to - from)), isInside, static (text, isInside) =>
        {
            var words = 0L;
            foreach (var character in text)
            {
                var isLetter = character > ' ';
                if (isLetter && !isInside) words++;
                isInside = isLetter;
            }

            return words;
        });
    }
}
