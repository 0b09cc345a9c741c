// Bytes of a pipe become lines, wherever they are cut.

using System.Text;
using Microsoft.Win32.SafeHandles;
using ShmIpc.Interop;
using ShmIpc.Tests.Memory;
using ShmIpc.Workers;
using Xunit;

namespace ShmIpc.Tests.Workers;

[Collection(nameof(MemoryMappingLeakTests))] // alone: a process that another test starts has a copy of a closed end for a moment
public sealed class OutputPipeTests
{
    [Fact]
    public void Lines_end_where_they_end_and_letters_survive_being_cut()
    {
        byte[] bytes = Encoding.UTF8.GetBytes("first\r\n\nzwölf €\nno end");
        for (int cut = 0; cut <= bytes.Length; cut++)
        {
            List<string> lines = [];
            (SafeFileHandle reading, SafeFileHandle writing) = LinuxPipe.Create();
            FileStream stream = new(writing, FileAccess.Write, bufferSize: 0);
            using (OutputPipe pipe = new(reading, 3, isError: true, (index, isError, line) => lines.Add($"{index} {isError} {line}")))
            {
                stream.Write(bytes.AsSpan(0, cut));
                Assert.True(pipe.Pump());
                stream.Write(bytes.AsSpan(cut));
                stream.Dispose();
                Assert.False(pipe.Pump());
                Assert.DoesNotContain("3 True no end", lines);
            }

            Assert.Equal(["3 True first", "3 True ", "3 True zwölf €", "3 True no end"], lines);
        }
    }

    [Fact]
    public void A_line_without_an_end_is_cut()
    {
        List<string> lines = [];
        (SafeFileHandle reading, SafeFileHandle writing) = LinuxPipe.Create();
        using (FileStream stream = new(writing, FileAccess.Write, bufferSize: 0))
        using (OutputPipe pipe = new(reading, 0, isError: false, (_, _, line) => lines.Add(line)))
        {
            for (int i = 0; i < 40; i++)
            {
                stream.Write(Encoding.UTF8.GetBytes(new string('x', 4_000)));
                Assert.True(pipe.Pump());
            }
        }

        Assert.Equal(160_000, lines.Sum(line => line.Length));
        Assert.All(lines, line => Assert.InRange(line.Length, 1, 64 * 1024));
    }
}
