// worker-pool sieve: forked workers find primes in memory without a file, which they have from this process and it sees what they write.
using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using ShmIpc.Examples.Terminal;
using ShmIpc.Memory;
using ShmIpc.Serialization;
using ShmIpc.Workers;

namespace ShmIpc.Examples.Pool.Commands;

internal static class SieveCommand
{
    public const string Name = "sieve";

    private const string Table = "table";
    private const string RootArgument = "root";
    private const int FewestNumbers = 100;
    private const int MostNumbers = 1_000_000_000;
    private const int StripNumbers = 1 << 20;

    public static Command Create()
    {
        var numbers = new Option<int>("--numbers")
        {
            Description = "How far to look for primes; a number takes a byte (default: 20000000)",
            HelpName = "N",
            DefaultValueFactory = _ => 20_000_000,
        };
        var settings = new PoolSettings();
        const string Text = "Finds primes in anonymous memory that forked workers share; ends with 2 when one process finds others";
        var command = new Command(Name, Text) { numbers, settings.Workers };
        command.SetAction(parsed =>
        {
            int count = parsed.GetRequiredValue(numbers);
            if (count is < FewestNumbers or > MostNumbers)
            {
                throw new ExampleException(
                    ExitCode.Failed, $"--numbers takes a number from {FewestNumbers} to {MostNumbers}, not {count}.");
            }
            return RunAsync(count, parsed.GetRequiredValue(settings.Workers)).GetAwaiter().GetResult();
        });
        return command;
    }

    public static long CrossOut(Strip strip, WorkerContext context) => Sieve.CrossOut(
        SharedRegion.Open(Table).Mapping, int.Parse(context.Arguments[RootArgument], CultureInfo.InvariantCulture), strip);

    private static async Task<int> RunAsync(int count, int workers)
    {
        using var table = SharedRegion.CreateAnonymous(Table, count);
        int root = (int)Math.Sqrt(count) + 1; // a number that is no prime has a factor before this
        WorkerPoolOptions options = new()
        {
            StartMode = WorkerStartMode.Fork,
            Workers = workers,
            Arguments = new Dictionary<string, string> { [RootArgument] = $"{root}" },
            JobSerializer = typeof(BlittablePayload<Strip>),
            ResultSerializer = typeof(BlittablePayload<long>),
        };
        await using var pool = await WorkerPool.StartAsync<Strip, long>(CrossOut, options);

        // The workers are there already, and see this all the same: what a fork shares is the memory, not what it was.
        Sieve.CrossOutFirst(table.Mapping, root);
        var clock = Stopwatch.StartNew();
        long found = Sieve.CountPrimes(table.Mapping, root);
        await foreach (long primes in pool.RunAsync(Strips(root, count)))
            found += primes;
        double poolSeconds = clock.Elapsed.TotalSeconds;

        Console.WriteLine(
            $"{found} primes below {count}, found by {workers} workers that were forked from process {Environment.ProcessId}");
        PrintMappings(pool, count);

        clock.Restart();
        using var own = MemoryMapping.MapAnonymous(count, new() { Sharing = MappingSharing.Private });
        Sieve.CrossOutFirst(own, root);
        long expected = Sieve.CountPrimes(own, root) + Strips(root, count).Sum(strip => Sieve.CrossOut(own, root, strip));
        double singleSeconds = clock.Elapsed.TotalSeconds;
        Console.WriteLine(FormattableString.Invariant(
            $"  speed-up: {singleSeconds / poolSeconds:0.00} ({singleSeconds:0.000} s in one process, {poolSeconds:0.000} s in the pool)"));
        bool isSame = found == expected && Sieve.AreSame(own, table.Mapping, count);
        Console.WriteLine(isSame ? "  checked: the same as in one process" : "  MISMATCH: not the same as in one process");
        return isSame ? ExitCode.Ok : ExitCode.Mismatch;
    }

    private static IEnumerable<Strip> Strips(int from, int end)
    {
        for (; from < end; from += StripNumbers)
            yield return new(from, Math.Min(StripNumbers, end - from));
    }

    // The kernel's word for shared anonymous memory is /dev/zero (deleted), with the same inode in each process that has it.
    private static void PrintMappings(WorkerPool pool, long lengthBytes)
    {
        Console.WriteLine("  process   mapped as                        resident   its share");
        long shares = 0;
        ProcessMapping? parent = null;
        foreach (int? process in pool.Workers.Select(worker => worker.ProcessId).Prepend(Environment.ProcessId))
        {
            ProcessMapping? mapping = ProcessMaps.Read(process, withSizes: true).Entries.FirstOrDefault(mapping =>
                mapping is { IsShared: true, Path: "/dev/zero", IsDeleted: true } && mapping.LengthBytes >= lengthBytes
                && mapping.Inode == (parent ?? mapping).Inode);
            if (mapping is null)
                continue;
            parent ??= mapping;
            shares += mapping.Sizes!.ProportionalBytes ?? 0;
            Console.WriteLine($"  {process,7}   {mapping.Permissions} {mapping.Path}, inode {mapping.Inode,-8} "
                + $"{ByteSize.Format(mapping.Sizes.ResidentBytes ?? 0),10}  {ByteSize.Format(mapping.Sizes.ProportionalBytes ?? 0),10}");
        }
        Console.WriteLine($"  in all {ByteSize.Format(shares)} of memory, for {ByteSize.Format(lengthBytes)} that each of them has mapped");
    }
}
