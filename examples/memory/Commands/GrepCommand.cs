// memory grep PATTERN FILE...: prints the lines that contain a text, as grep -F does, from mapped files.
using System.CommandLine;
using System.Globalization;
using System.Text;
using ShmIpc.Examples.Terminal;
using ShmIpc.Memory;

namespace ShmIpc.Examples.Memory.Commands;

internal static class GrepCommand
{
    private const int Found = 0;
    private const int NotFound = 1;
    private const int Failed = 2;
    private const int Portion = 1 << 24;

    public static Command Create()
    {
        var pattern = new Argument<string>("PATTERN") { Description = "The text to look for, as it is" };
        var files = new Argument<FileInfo[]>("FILE") { Description = "The files", Arity = ArgumentArity.OneOrMore };
        var count = new Option<bool>("-c", "--count") { Description = "Print how many lines there are, and not the lines" };
        var numbers = new Option<bool>("-n", "--line-number") { Description = "Print the number of each line" };
        var command = new Command("grep", "Prints the lines that contain a text; ends with 0 when there are any, 1 when not, 2 on an error")
        {
            pattern, files, count, numbers,
        };
        command.SetAction(parsed =>
        {
            byte[] wanted = Encoding.UTF8.GetBytes(parsed.GetRequiredValue(pattern));
            FileInfo[] all = parsed.GetRequiredValue(files);
            int result = NotFound;
            using Stream output = Console.OpenStandardOutput();
            using var buffered = new BufferedStream(output, 1 << 16);
            foreach (FileInfo file in all)
            {
                try
                {
                    string prefix = all.Length > 1 ? $"{file}:" : "";
                    if (Run(wanted, file, prefix, parsed.GetValue(count), parsed.GetValue(numbers), buffered) && result != Failed)
                        result = Found;
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
                {
                    Console.Error.WriteLine($"memory grep: {file}: {ExampleException.MessageOf(e)}");
                    result = Failed;
                }
            }
            return result;
        });
        return command;
    }

    private static bool Run(byte[] wanted, FileInfo path, string prefix, bool countOnly, bool numbered, Stream output)
    {
        using var file = MappedFile.Open(path.FullName, new MemoryMappingOptions { Access = MemoryAccess.ReadOnly });
        long lines = 0;
        long number = 1;
        long counted = 0; // the line feeds before this offset are in the number
        foreach (LineRange line in file.LinesWith(wanted))
        {
            lines++;
            if (countOnly)
                continue;
            if (numbered)
                number += file.Count("\n"u8, counted, line.Offset - counted);
            counted = line.Offset;
            Write(output, numbered ? string.Create(CultureInfo.InvariantCulture, $"{prefix}{number}:") : prefix);
            for (long done = 0; done < line.LengthBytes; done += Portion) // a line may be longer than any span
            {
                int length = (int)Math.Min(Portion, line.LengthBytes - done);
                file.Read(line.Offset + done, length, output, static (bytes, output) => output.Write(bytes));
            }
            output.WriteByte((byte)'\n');
        }
        if (countOnly)
            Write(output, string.Create(CultureInfo.InvariantCulture, $"{prefix}{lines}\n"));
        return lines > 0;
    }

    private static void Write(Stream output, string text) => output.Write(Encoding.UTF8.GetBytes(text));
}
