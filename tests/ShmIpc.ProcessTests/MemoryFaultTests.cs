// What a deliberate touch of a guard page, of closed pages or of a truncated file does: that process ends, the way docs/memory.md says,
// and the memory it shares with others is as it was.

using ShmIpc.Memory;
using ShmIpc.ProcessTests.Harness;
using Xunit;

namespace ShmIpc.ProcessTests;

public sealed class MemoryFaultTests : IDisposable
{
    private static readonly int _page = Environment.SystemPageSize;

    private readonly ScratchRoot _scratch = new();
    private readonly string _file;

    public MemoryFaultTests()
    {
        _file = Path.Combine(_scratch.Path, "memory");
        File.WriteAllBytes(_file, new byte[4 * _page]);
    }

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("before", Linux.SIGABRT, "AccessViolationException")]
    [InlineData("behind", Linux.SIGABRT, "AccessViolationException")]
    [InlineData("write-read-only", Linux.SIGABRT, "AccessViolationException")]
    [InlineData("copy-over-guard", Linux.SIGSEGV, "")]
    [InlineData("truncated", Linux.SIGABRT, "AccessViolationException")]
    public void A_touch_of_what_is_closed_ends_the_process(string touch, int signal, string message)
    {
        using var mapping = MemoryMapping.MapFile(_file);
        using var child = ChildProcess.StartReady("memory-fault", ("file", _file), ("touch", touch));
        if (touch == "truncated")
        {
            using var file = File.OpenHandle(_file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            RandomAccess.SetLength(file, _page);
        }

        child.Send("go");
        var code = child.WaitForExit();
        Assert.True(code is 128 + Linux.SIGSEGV or 128 + Linux.SIGABRT, $"It ended with code {code}. {child.Errors()}");
        Assert.Equal(128 + signal, code);
        Assert.Contains(message, child.Errors(), StringComparison.Ordinal);
        Assert.False(child.HasSaid);
        Assert.Equal(1, mapping.Read<byte>(0)); // what the child had written through the library, and nothing else
    }

    [Fact]
    public void Pages_that_are_not_executable_do_not_execute()
    {
        using var child = ChildProcess.StartReady("memory-fault", ("file", _file), ("touch", "execute"));
        child.Send("go");
        var code = child.WaitForExit();
        Assert.True(code is 128 + Linux.SIGSEGV or 128 + Linux.SIGABRT, $"It ended with code {code}. {child.Errors()}");
        Assert.False(child.HasSaid);
    }
}
