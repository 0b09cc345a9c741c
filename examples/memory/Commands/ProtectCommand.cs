// memory protect: pages that are written while they cannot be executed, and executed while they cannot be written; and a read-only table
// that is opened for one write.
using System.CommandLine;
using System.Runtime.InteropServices;
using ShmIpc.Memory;

namespace ShmIpc.Examples.Memory.Commands;

internal static unsafe class ProtectCommand
{
    public static Command Create()
    {
        var command = new Command(
            "protect", "Writes machine code into memory, closes it for writing and runs it; opens a read-only table for one write");
        command.SetAction(_ => Run());
        return command;
    }

    private static void Run()
    {
        long page = Environment.SystemPageSize;
        using var mapping = MemoryMapping.MapAnonymous(2 * page, new() { Sharing = MappingSharing.Private });

        // int add(int a, int b) { return a + b; }
        ReadOnlySpan<byte> add = RuntimeInformation.ProcessArchitecture == Architecture.Arm64
            ? [0x00, 0x00, 0x01, 0x0B, /* add w0, w0, w1 */ 0xC0, 0x03, 0x5F, 0xD6 /* ret */]
            : [0x8D, 0x04, 0x37, /* lea eax, [rdi + rsi] */ 0xC3 /* ret */];
        mapping.WriteAt(0, add);
        Console.WriteLine($"{add.Length} bytes of machine code are written; the page is {Permissions(mapping, 0)}.");
        mapping.Protect(0, page, MemoryAccess.ReadExecute);
        mapping.Read(0, add.Length, code => // stays mapped and executable until this returns
        {
            fixed (byte* first = code)
            {
                var function = (delegate* unmanaged<int, int, int>)first;
                Console.WriteLine($"The page is {Permissions(mapping, 0)} now, and add(40, 2) says {function(40, 2)}.");
            }
        });

        mapping.Protect(page, page, MemoryAccess.ReadOnly);
        Console.WriteLine($"A table is {Permissions(mapping, page)}.");
        try
        {
            mapping.Write(page, 1);
        }
        catch (InvalidOperationException e)
        {
            Console.WriteLine($"A write is refused: {e.Message}");
        }

        using (mapping.Writable(page, sizeof(int)))
        {
            mapping.Write(page, 7);
            Console.WriteLine($"Inside Writable it is {Permissions(mapping, page)},");
        }

        Console.WriteLine($"and afterwards {Permissions(mapping, page)} again, with {mapping.Read<int>(page)} in it.");
    }

    private static string Permissions(MemoryMapping mapping, long offset) => MappedAt.Of(mapping, offset).Permissions;
}
