// memory edit FILE OFFSET TEXT: writes a text over what a file holds, in place.
using System.CommandLine;
using System.Text;
using ShmIpc.Memory;

namespace ShmIpc.Examples.Memory.Commands;

internal static class EditCommand
{
    public static Command Create()
    {
        var file = new Argument<FileInfo>("FILE") { Description = "The file; it keeps its length" };
        var offset = new Argument<long>("OFFSET") { Description = "Where the text goes" };
        var text = new Argument<string>("TEXT") { Description = "The text" };
        var command = new Command("edit", "Writes a text over what a file holds, in place") { file, offset, text };
        command.SetAction(parsed =>
        {
            using var mapped = MappedFile.Open(parsed.GetRequiredValue(file).FullName);
            mapped.WriteAt(parsed.GetValue(offset), Encoding.UTF8.GetBytes(parsed.GetRequiredValue(text)));
            mapped.Flush();
        });
        return command;
    }
}
