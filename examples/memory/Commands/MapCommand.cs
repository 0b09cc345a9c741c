// memory map FILE: maps part of a file and prints its first bytes.
using System.CommandLine;
using ShmIpc.Examples.Terminal;
using ShmIpc.Memory;

namespace ShmIpc.Examples.Memory.Commands;

internal static class MapCommand
{
    private const int BytesPerLine = 16;
    private const int MostBytes = 256;

    public static Command Create()
    {
        var file = new Argument<FileInfo>("FILE") { Description = "The file to map, read-only" };
        var offset = new Option<long>("--offset") { Description = "Where to begin: a multiple of the page size, 4096 (default: 0)" };
        var length = new Option<long?>("--length") { Description = "How many bytes to map (default: up to the end of the file)" };
        var command = new Command("map", "Maps a file and prints its first bytes in hexadecimal") { file, offset, length };
        command.SetAction(parsed => Run(parsed.GetRequiredValue(file), parsed.GetValue(offset), parsed.GetValue(length)));
        return command;
    }

    private static void Run(FileInfo file, long offset, long? length)
    {
        var options = new MemoryMappingOptions { Access = MemoryAccess.ReadOnly };
        using var whole = MappedFile.Open(file.FullName, options); // refuses what is no file, and never waits for one
        if (length is null && offset >= whole.LengthBytes)
        {
            throw new ExampleException(
                ExitCode.Failed, $"{file} has {whole.LengthBytes} bytes: there is nothing to map from byte {offset} on.");
        }
        using var handle = File.OpenHandle(file.FullName);
        using var mapping = MemoryMapping.MapFile(handle, offset, length ?? whole.LengthBytes - offset, options);
        Console.WriteLine($"{mapping.LengthBytes} bytes of {file} are mapped, from byte {offset} on; the first of them:");
        mapping.Read(0, (int)Math.Min(mapping.LengthBytes, MostBytes), bytes =>
        {
            for (int at = 0; at < bytes.Length; at += BytesPerLine)
            {
                var line = bytes.Slice(at, Math.Min(BytesPerLine, bytes.Length - at));
                Console.WriteLine($"  {offset + at:x8}  {Convert.ToHexStringLower(line)}");
            }
        });
    }
}
