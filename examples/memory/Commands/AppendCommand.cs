// memory append FILE TEXT: lengthens a file and maps it anew, with a line at its end.
using System.CommandLine;
using System.Text;
using ShmIpc.Memory;

namespace ShmIpc.Examples.Memory.Commands;

internal static class AppendCommand
{
    public static Command Create()
    {
        var path = new Argument<FileInfo>("FILE") { Description = "The file; it is made when there is none" };
        var text = new Argument<string>("TEXT") { Description = "The line" };
        var command = new Command("append", "Lengthens a file by a line, by mapping it anew") { path, text };
        command.SetAction(parsed =>
        {
            FileInfo file = parsed.GetRequiredValue(path);
            byte[] line = Encoding.UTF8.GetBytes(parsed.GetRequiredValue(text) + "\n");
            using MappedFile mapped = Path.Exists(file.FullName) ? MappedFile.Open(file.FullName) : MappedFile.Create(file.FullName, 0);
            long end = mapped.LengthBytes;
            mapped.Resize(end + line.Length);
            mapped.WriteAt(end, line);
            mapped.Flush();
            Console.WriteLine($"{file} had {end} bytes and has {mapped.LengthBytes}.");
        });
        return command;
    }
}
