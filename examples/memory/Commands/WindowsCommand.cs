// memory windows PATTERN FILE: finds a text in a file of any size with only two windows of it mapped at a time.
using System.CommandLine;
using System.Text;
using ShmIpc.Memory;

namespace ShmIpc.Examples.Memory.Commands;

internal static class WindowsCommand
{
    public static Command Create()
    {
        var pattern = new Argument<string>("PATTERN") { Description = "The text to look for" };
        var file = new Argument<FileInfo>("FILE") { Description = "The file" };
        var command = new Command("windows", "Prints where a text lies in a huge file, mapped in windows") { pattern, file };
        command.SetAction(parsed =>
        {
            byte[] wanted = Encoding.UTF8.GetBytes(parsed.GetRequiredValue(pattern));
            using var output = new StreamWriter(Console.OpenStandardOutput(), bufferSize: 1 << 16);
            // Each window shows one byte less than the text of the next one, so a match across the border is found, and found once.
            foreach (FileWindow window in FileWindow.Walk(parsed.GetRequiredValue(file).FullName, overlapBytes: Math.Max(0, wanted.Length - 1)))
            {
                foreach (long match in window.Mapping.Matches(wanted))
                    output.WriteLine(window.Offset + match);
            }
        });
        return command;
    }
}
