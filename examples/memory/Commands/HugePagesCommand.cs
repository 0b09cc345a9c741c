// memory huge-pages: maps memory with each kind of huge pages and says what came of it; with --benchmark, what it is worth.
using System.CommandLine;
using ShmIpc.Examples.Terminal;
using ShmIpc.Memory;

namespace ShmIpc.Examples.Memory.Commands;

internal static class HugePagesCommand
{
    private const string ShownSize = "8M";
    private const string MeasuredSize = "1G";

    private static readonly HugePageSize[] _sizes = Enum.GetValues<HugePageSize>();

    public static Command Create()
    {
        var size = new Option<string?>("--size")
        {
            Description = $"How much to map (default: {ShownSize}, with --benchmark {MeasuredSize}, at most 1G)",
        };
        var benchmark = new Option<bool>("--benchmark") { Description = "Measure touch and random access, and print a table in Markdown" };
        var rounds = new Option<int>("--rounds") { Description = "How often to measure", DefaultValueFactory = _ => 5 };
        var command = new Command("huge-pages", "Asks for huge pages of each kind, and shows what was granted") { size, benchmark, rounds };
        command.SetAction(parsed =>
        {
            var text = parsed.GetValue(size) ?? (parsed.GetValue(benchmark) ? MeasuredSize : ShownSize);
            if (!ByteSize.TryParse(text, out var bytes) || bytes <= 0)
            {
                throw new ExampleException(ExitCode.Failed, $"--size {text} is none: write it as 64M or 1G.");
            }

            if (parsed.GetValue(rounds) is var times && times < 1)
            {
                throw new ExampleException(ExitCode.Failed, $"--rounds {times} is none: give 1 or more.");
            }

            if (parsed.GetValue(benchmark)) HugePageBenchmark.Run(bytes, times);
            else Show(bytes);
        });
        return command;
    }

    private static void Show(long bytes)
    {
        foreach (var size in _sizes)
        {
            var options = new MemoryMappingOptions { Sharing = MappingSharing.Private, Populate = true, HugePages = HugePages.Try(size) };
            using var mapping = MemoryMapping.MapAnonymous(bytes, options);
            Console.WriteLine(mapping.HugePages);
        }

        foreach (var pool in MemoryLimits.Read().HugePagePools)
        {
            Console.WriteLine($"pool of {ByteSize.Format(pool.PageSizeBytes)}: {pool.Available} of {pool.Total} pages are left");
        }
    }
}
