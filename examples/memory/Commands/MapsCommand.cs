// memory maps [PID]: what a process has mapped, and what of it is in memory.
using System.CommandLine;
using ShmIpc.Examples.Terminal;
using ShmIpc.Memory;

namespace ShmIpc.Examples.Memory.Commands;

internal static class MapsCommand
{
    public static Command Create()
    {
        var process = new Argument<int?>("PID") { Description = "The process (default: this one)", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("maps", "Lists what a process has mapped, and what of it is in memory, shared, changed and locked") { process };
        command.SetAction(parsed => Run(parsed.GetValue(process)));
        return command;
    }

    private static void Run(int? process)
    {
        if (process is < 1) throw new ExampleException(ExitCode.Failed, $"PID is the number of a process, from 1 on, and not {process}.");
        var maps = ProcessMaps.Read(process, withSizes: true);
        Console.WriteLine($"{"mapped",12} {"in memory",12} {"share",12} {"changed",12} {"locked",12}  what");
        foreach (var mapping in maps.Entries)
        {
            var sizes = mapping.Sizes!;
            var changed = sizes.PrivateDirtyBytes + sizes.SharedDirtyBytes;
            var name = mapping.Path?.Replace("\n", "\\n", StringComparison.Ordinal) ?? "(memory)";
            Console.WriteLine(
                $"{Size(mapping.LengthBytes)} {Size(sizes.ResidentBytes)} {Size(sizes.ProportionalBytes)} {Size(changed)} {Size(sizes.LockedBytes)}  "
                + $"{mapping.Start:x}-{mapping.End:x} {mapping.Permissions} {name}{(mapping.IsDeleted ? " (deleted)" : "")}");
        }

        var memory = ProcessMemory.Read(process, withTotals: true);
        Console.WriteLine(
            $"{Size(memory.AddressSpaceBytes)} {Size(memory.Totals!.ResidentBytes)} {Size(memory.Totals.ProportionalBytes)} "
            + $"{Size(memory.Totals.PrivateDirtyBytes + memory.Totals.SharedDirtyBytes)} {Size(memory.LockedBytes)}  in all");
    }

    private static string Size(long? bytes) => (bytes is { } known ? ByteSize.Format(known) : "?").PadLeft(12);
}
