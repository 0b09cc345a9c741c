// Counts what the process has mapped and open, so nothing else may run meanwhile.

using ShmIpc.Memory;
using ShmIpc.Tests.Interop;
using Xunit;

namespace ShmIpc.Tests.Memory;

[Collection(nameof(MemoryMappingLeakTests))]
public sealed class MappedFileLeakTests : IDisposable
{
    private readonly ScratchDirectory _scratch = new();

    private string FilePath => Path.Combine(_scratch.Path, "file");

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void Ten_thousand_files_opened_and_closed_leave_nothing()
    {
        File.WriteAllText(FilePath, "some text");
        MemoryMappingLeakTests.CheckGrowth(
            () =>
            {
                using var file = MappedFile.Open(FilePath);
                Assert.Equal(5, file.IndexOf("text"u8));
            },
            cycles: 10_000);
    }

    [Fact]
    public void Other_lengths_and_their_refusals_leave_nothing()
    {
        using var file = MappedFile.Create(FilePath, 10);
        var pageBytes = Environment.SystemPageSize;
        MemoryMappingLeakTests.CheckGrowth(() =>
        {
            file.Read(0, 10, _ =>
            {
                file.Resize(3 * pageBytes);
                Assert.Throws<InvalidOperationException>(() => file.Resize(0));
            });

            file.Resize(10);
        }, cycles: 500);
    }

    [Fact]
    public void Refusals_to_open_leave_nothing()
    {
        File.WriteAllText(FilePath, "some text");
        MemoryMappingLeakTests.CheckGrowth(() =>
        {
            Assert.Throws<ShmException>(() => MappedFile.Open("/proc/self/status", new() { Access = MemoryAccess.ReadOnly }));
            Assert.Throws<IOException>(() => MappedFile.Create(FilePath, 1));
            foreach (var window in FileWindow.Walk(FilePath)) Assert.Equal(9, window.LengthBytes);
        }, cycles: 500);
    }
}
