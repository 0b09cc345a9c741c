// What is in a file after its writer was killed: everything that a shared mapping stored, flushed or not, nothing of a private one; and a
// durable write whole or not at all.

using ShmIpc.Memory;
using ShmIpc.ProcessTests.Harness;
using ShmIpc.ProcessTests.Roles;
using Xunit;

namespace ShmIpc.ProcessTests;

public sealed class MemorySyncTests : IDisposable
{
    private readonly ScratchRoot _scratch = new(ScratchRoot.Disk);

    private string FilePath => Path.Combine(_scratch.Path, "file");

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("none", true)]
    [InlineData("async", true)]
    [InlineData("sync", true)]
    [InlineData("private", false)]
    public void What_was_stored_before_SIGKILL_is_in_the_file_unless_it_was_private(string way, bool survives)
    {
        File.WriteAllBytes(FilePath, new byte[100]);
        using (ChildProcess child = ChildProcess.StartReady("memory-writer", ("file", FilePath), ("way", way)))
        {
            child.Kill();
        }

        byte[] expected = survives ? "written"u8.ToArray() : new byte[7];
        Assert.Equal(expected, File.ReadAllBytes(FilePath)[..7]);
        using MemoryMapping again = MemoryMapping.MapFile(FilePath);
        Assert.Equal(expected, again.Read(0, 7, bytes => bytes.ToArray()));
    }

    [Fact]
    public void A_durable_write_is_whole_or_not_there_whenever_its_writer_is_killed()
    {
        File.WriteAllBytes(FilePath, new byte[MemoryWriterRole.FirstSlot + 2 * MemoryWriterRole.SlotBytes]);
        Random random = new(12);
        ulong last = 0;
        for (int round = 0; round < 10; round++)
        {
            using (ChildProcess child = ChildProcess.StartReady("durable-writer", ("file", FilePath)))
            {
                ulong before = last;
                Eventually.True(() => Word() > before, "the writer has committed something");
                Thread.Sleep(random.Next(5));
                child.Kill();
            }

            using MemoryMapping mapping = MemoryMapping.MapFile(FilePath);
            ulong number = mapping.Read<ulong>(0);
            Assert.True(number > last, $"{number} came after {last}.");
            Assert.Equal(-1, mapping.Read(
                MemoryWriterRole.SlotOf(number), MemoryWriterRole.SlotBytes, (byte)number, (bytes, number) => bytes.IndexOfAnyExcept(number)));
            last = number;
        }
    }

    private ulong Word() => BitConverter.ToUInt64(File.ReadAllBytes(FilePath));
}
