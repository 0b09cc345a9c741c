// memory sync [DIR]: what each way to write costs, and what of it is in the file after the writer's SIGKILL. The writer is this program
// again, in the hidden sub-command sync-writer.
using System.CommandLine;
using System.Diagnostics;
using ShmIpc.Examples.Terminal;
using ShmIpc.Memory;

namespace ShmIpc.Examples.Memory.Commands;

internal static class SyncCommand
{
    private const int FileBytes = 1 << 20;
    private const int Writes = 200;
    private static readonly string[] _ways = ["private", "none", "async", "sync", "durable"];

    public static IEnumerable<Command> Create()
    {
        var directory = new Argument<DirectoryInfo?>("DIR")
        {
            Description = "Where to write (default: the current directory)",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new Command("sync", "Writes to a mapped file in each way, kills the writer, and looks at what is left") { directory };
        command.SetAction(parsed => Run(parsed.GetValue(directory)?.FullName ?? Environment.CurrentDirectory));
        var file = new Argument<string>("FILE");
        var way = new Argument<string>("WAY");
        var writer = new Command("sync-writer") { file, way };
        writer.Hidden = true;
        writer.SetAction(parsed => Write(parsed.GetRequiredValue(file), parsed.GetRequiredValue(way)));
        return [command, writer];
    }

    private static void Run(string directory)
    {
        using var file = new TemporaryFile(Path.Combine(directory, $"memory-sync-{Guid.NewGuid():N}"));
        Console.WriteLine($"In {directory} ({new DriveInfo(directory).DriveFormat}); {Writes} writes of 100 bytes each:");
        Console.WriteLine();
        Console.WriteLine("| way | median us a write | after SIGKILL | after a power cut |");
        Console.WriteLine("|---|---|---|---|");
        foreach (var way in _ways)
        {
            using (FileStream stream = file.Rewrite())
                stream.Write(new byte[FileBytes]);
            var start = SameProgram.With("sync-writer", file.Path, way);
            (start.RedirectStandardInput, start.RedirectStandardOutput) = (true, true);
            using var writer = Process.Start(start)!;
            var median = writer.StandardOutput.ReadLine();
            writer.Kill();
            writer.WaitForExit();
            if (median is null) throw new ExampleException(ExitCode.NoPeer, "The writer ended before it was done; its error stands above.");
            var bytes = File.ReadAllBytes(file.Path);
            var last = BitConverter.ToUInt64(bytes) == Writes || bytes[Place(Writes - 1)] == Writes;
            Console.WriteLine($"| {way} | {median} | {(last ? "there" : "lost")} | {PowerCut(way)} |");
        }

        Console.WriteLine();
        Console.WriteLine("The last column is what the kernel promises, and not measured here.");
    }

    private static string PowerCut(string way) => way switch
    {
        "private" => "lost",
        "sync" => "there; a write that was going on may be torn",
        "durable" => "there, whole; one that was going on whole or not at all",
        _ => "any part of the last seconds may be missing",
    };

    private static void Write(string path, string way)
    {
        var mapping = MemoryMapping.MapFile(path, new() { Sharing = way == "private" ? MappingSharing.Private : MappingSharing.Shared });
        var microseconds = new double[Writes];
        var payload = new byte[100];
        for (var i = 0; i < Writes; i++)
        {
            Array.Fill(payload, (byte)(i + 1));
            var begin = Stopwatch.GetTimestamp();
            if (way == "durable") Durable.Write(mapping, Place(i), payload, 0, (ulong)(i + 1));
            else mapping.WriteAt(Place(i), payload);
            if (way == "async") mapping.Flush(Place(i), payload.Length, MemoryFlush.Async);
            if (way == "sync") mapping.Flush(Place(i), payload.Length);
            microseconds[i] = Stopwatch.GetElapsedTime(begin).TotalMicroseconds;
        }

        Array.Sort(microseconds);
        Console.WriteLine($"{microseconds[Writes / 2]:0.0}");
        Console.ReadLine(); // until it is killed, or nobody is left to do that
    }

    private static int Place(int write) => 4096 * (1 + write % 255);
}
