// memory lock-memory SIZE: locks memory, as far as this process may, and shows the kernel's own count before and after.
using System.CommandLine;
using ShmIpc.Examples.Terminal;
using ShmIpc.Memory;

namespace ShmIpc.Examples.Memory.Commands;

internal static class LockMemoryCommand
{
    public static Command Create()
    {
        var size = new Argument<string>("SIZE") { Description = "How much to lock, such as 4M", DefaultValueFactory = _ => "4M" };
        var all = new Option<bool>("--all") { Description = "Lock the whole process, too: what it has and what it will have" };
        var command = new Command("lock-memory", "Locks memory so that it is never swapped out, and says what the kernel granted") { size, all };
        command.SetAction(parsed => Run(parsed.GetRequiredValue(size), parsed.GetValue(all)));
        return command;
    }

    private static void Run(string text, bool all)
    {
        if (!ByteSize.TryParse(text, out var bytes) || bytes == 0)
        {
            throw new ExampleException(ExitCode.Failed, $"SIZE is a size such as 65536, 64K or 1M, not '{text}'.");
        }

        var limits = MemoryLimits.Read();
        Console.WriteLine(limits.MayLockBeyondLimit == true || limits.LockedMemory is { Soft: null }
            ? "This process may lock any amount of memory."
            : $"This process may lock {limits.LockedMemory?.Soft} bytes.");
        using var mapping = MemoryMapping.MapAnonymous(bytes, new() { Sharing = MappingSharing.Private });
        if (!mapping.TryLock(0, bytes, onFault: false, out var token, out var refusal))
        {
            throw new ExampleException(ExitCode.Failed, $"Refused: {refusal.Message}");
        }

        using (token)
        {
            Console.WriteLine($"Locked {token.LengthBytes} bytes; the kernel counts {MemoryLimits.Read().LockedBytes}.");
        }

        Console.WriteLine($"Unlocked; the kernel counts {MemoryLimits.Read().LockedBytes}.");
        if (!all) return;
        if (!MemoryLock.TryLockAll(MemoryLockScope.CurrentAndFuture, onFault: true, out var whole, out refusal))
        {
            throw new ExampleException(ExitCode.Failed, $"Refused: {refusal.Message}");
        }

        using (whole)
        {
            Console.WriteLine($"Locked the whole process; the kernel counts {MemoryLimits.Read().LockedBytes} bytes, mostly address space that the " +
                "garbage collector keeps free: with on-fault, only what is touched takes memory.");
        }
    }
}
