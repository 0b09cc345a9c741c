// memory anonymous: private memory as a very large, sparsely used buffer. What takes memory is what is touched, and it can be given back.
using System.CommandLine;
using ShmIpc.Examples.Terminal;
using ShmIpc.Memory;

namespace ShmIpc.Examples.Memory.Commands;

internal static class AnonymousCommand
{
    private const long Bytes = 1L << 40;
    private const int Touched = 64 << 20;

    public static Command Create()
    {
        var command = new Command("anonymous", "Maps a tebibyte of private memory, uses 64 MiB of it, and gives them back");
        command.SetAction(_ => Run());
        return command;
    }

    private static void Run()
    {
        using var buffer = MemoryMapping.MapAnonymous(Bytes, new() { Sharing = MappingSharing.Private, NoReserve = true });
        Say(buffer, "mapped");
        buffer.Write(Bytes / 2, Touched, static bytes => bytes.Fill(1));
        Say(buffer, "64 MiB in the middle are written");
        buffer.Advise(Bytes / 2, Touched, MemoryAdvice.DontNeed);
        Say(buffer, $"given back; the byte in the middle is {buffer.Read<byte>(Bytes / 2)} again");
    }

    private static void Say(MemoryMapping buffer, string what)
    {
        var resident = MappedAt.Of(buffer, 0, withSizes: true).Sizes!.ResidentBytes ?? 0;
        Console.WriteLine($"{ByteSize.Format(buffer.LengthBytes)} of address space, {ByteSize.Format(resident)} of memory: {what}.");
    }
}
