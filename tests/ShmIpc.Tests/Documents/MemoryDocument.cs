using ShmIpc.Memory;
using ShmIpc.Tests.Interop;
using ShmIpc.Tests.Memory;
using Xunit;

namespace ShmIpc.Tests.Documents;

/// <summary>What docs/memory.md shows, run. It names files of the current directory, so nothing else may run meanwhile.</summary>
[Collection(nameof(MemoryMappingLeakTests))]
public sealed class MemoryDocument : IDisposable
{
    private readonly ScratchDirectory _scratch = new();
    private readonly string _before = Environment.CurrentDirectory;

    public MemoryDocument() => Environment.CurrentDirectory = _scratch.Path;

    public void Dispose()
    {
        Environment.CurrentDirectory = _before;
        _scratch.Dispose();
    }

    [Fact]
    public void A_file_is_mapped_whole()
    {
        File.WriteAllBytes("table.bin", [.. Enumerable.Repeat((byte)1, 8192)]);
        Example();
        Assert.All(File.ReadAllBytes("table.bin").Index(), one => Assert.Equal(one.Index is >= 4096 and < 4608 ? 7 : 1, one.Item));

        static void Example()
        {
            using var mapping = MemoryMapping.MapFile("table.bin");                        // all of it, shared, for reading and writing
            mapping.Write(4096, 512, bytes => bytes.Fill(7));                              // in place
            long count = mapping.Read<long>(0);                                            // or by copy: Read, Write, ReadAt, WriteAt

            Assert.Equal(0x0101010101010101, count);
        }
    }

    [Fact]
    public void Bytes_are_lent_to_a_callback()
    {
        using var mapping = MemoryMapping.MapAnonymous(8192);
        mapping.Write(bytes => bytes.Fill((byte)' '));
        using var stream = new MemoryStream();

        int spaces = mapping.Read(0, 4096, static bytes => bytes.Count((byte)' '));               // what the callback returns, except a span
        mapping.Read(0, 4096, stream, static (bytes, stream) => stream.Write(bytes));             // state, so that nothing is captured; it may be a span
        mapping.Write(4096, 512, static bytes => bytes.Clear());                                  // Read(callback) and Write(callback): all of it, up to 2 GiB

        Assert.Equal((4096, 4096), (spaces, stream.Length));
        Assert.Equal(8192 - 512, mapping.Read(bytes => bytes.Count((byte)' ')));
    }

    [Fact]
    public void Lines_are_found()
    {
        const string path = "log";
        File.WriteAllText(path, "fine\nan error\nfine\nerrors\n");
        using var output = new MemoryStream();

        using var file = MappedFile.Open(path, new() { Access = MemoryAccess.ReadOnly });
        foreach (LineRange line in file.LinesWith("error"u8)) file.Read(line.Offset, (int)line.LengthBytes, output, static (bytes, output) => output.Write(bytes));

        Assert.Equal("an errorerrors"u8, output.ToArray());
    }

    [Fact]
    public void A_file_in_memory_is_sealed()
    {
        using var file = MemoryFile.Create("frames", 64 << 20);       // the name is for /proc/self/maps only; all memory is taken now
        using var mapping = file.Map();
        file.Seal(MemorySeals.Grow | MemorySeals.Seal);               // Shrink is on from the start

        Assert.Equal(64 << 20, KernelProbe.AllocatedBytes(file.Handle));
        Assert.Equal(MemorySeals.Shrink | MemorySeals.Grow | MemorySeals.Seal, file.Seals & ~MemorySeals.Exec);
        Assert.Contains("memfd:frames", ProcMaps.LineAt(mapping.Whole.Start), StringComparison.Ordinal);
    }

    [Fact]
    public void A_payload_is_on_the_disk_before_its_word()
    {
        File.WriteAllBytes("slots", new byte[8192]);
        using (var mapping = MemoryMapping.MapFile("slots"))
        {
            var payload = "payload"u8;
            var (slot, number) = (1, 7UL);

            Durable.Write(mapping, payloadOffset: slot * 4096, payload, commitOffset: 0, commitWord: number);
        }

        var bytes = File.ReadAllBytes("slots");
        Assert.Equal("payload"u8, bytes.AsSpan(4096, 7));
        Assert.Equal(7UL, BitConverter.ToUInt64(bytes));
    }

    [Fact]
    public void Memory_is_locked()
    {
        using var mapping = MemoryMapping.MapAnonymous(8192);
        var refusals = new List<string>();
        Action<string> log = refusals.Add;
        Assert.SkipUnless(MemoryLock.TryLockAll(MemoryLockScope.CurrentAndFuture, onFault: true, out var possible, out var reason), $"{reason?.Message}");
        possible.Dispose();

        using var token = mapping.Lock();                                  // all of it, now; or a range; or on fault, page by page as they are touched
        if (!mapping.TryLock(0, 4096, onFault: false, out var first, out var refusal)) log(refusal.Message);
        using var all = MemoryLock.LockAll();                              // the process: what it has and what it will have, on fault

        Assert.Empty(refusals);
        Assert.Contains("lo", ProcMaps.FlagsAt(mapping.Whole.Start));
        first?.Dispose();
    }

    [Fact]
    public void Pages_are_writable_for_the_time()
    {
        using var mapping = MemoryMapping.MapAnonymous(8192);
        var (offset, length) = (16, 4);
        byte[] record = [1, 2, 3, 4];

        mapping.Protect(0, mapping.LengthBytes, MemoryAccess.ReadOnly);
        using (mapping.Writable(offset, length)) mapping.WriteAt(offset, record);

        Assert.Equal("r--s", ProcMaps.PermissionsAt(mapping.Whole.Start));
        Assert.Equal(0x04030201, mapping.Read<int>(16));
    }

    [Fact]
    public void One_writes_and_others_can_only_read()
    {
        using (var probe = MemoryFile.Create("probe", 1))
        {
            var refusal = Record.Exception(() => probe.Seal(MemorySeals.FutureWrite));
            Assert.SkipWhen(refusal is ShmException, $"{refusal?.Message}");
        }

        using var file = MemoryFile.Create("prices", 1 << 20);
        using var mapping = file.Map();                               // before the seal: this one goes on writing
        file.Seal(MemorySeals.FutureWrite | MemorySeals.Grow | MemorySeals.Seal);
        using var reader = file.OpenReadOnly();                       // hand out reader.Handle

        mapping.Write(0, 5);
        using var view = reader.Map(new() { Access = MemoryAccess.ReadOnly });
        Assert.Equal(5, view.Read<int>(0));
        Assert.Throws<UnauthorizedAccessException>(() => reader.Map());
        Assert.Throws<UnauthorizedAccessException>(() => file.Map());
    }

    [Fact]
    public void Huge_pages_are_tried()
    {
        var limits = MemoryLimits.Read();
        var console = Console.Out;
        using var written = new StringWriter();
        Assert.SkipWhen(limits.AvailableBytes < 2L << 30 || limits.ControlGroupAvailableBytes < 2L << 30, "Less than 2 GiB of memory is left.");

        Console.SetOut(written);
        try
        {
            var options = new MemoryMappingOptions { HugePages = HugePages.Try(HugePageSize.TwoMebibytes) };   // or Require
            using var mapping = MemoryMapping.MapAnonymous(1 << 30, options);
            Console.WriteLine(mapping.HugePages);     // what the kernel granted, and if not, why, and the cure

            Assert.Contains(mapping.HugePages!.IsGranted ? "granted" : mapping.HugePages.Cure!, written.ToString(), StringComparison.Ordinal);
        }
        finally
        {
            Console.SetOut(console);
        }
    }

    // Only compiled: an absolute path.
    internal static void Lock()
    {
        using (FileLock.Acquire("/var/lib/app/table", FileLockKind.Exclusive, TimeSpan.FromSeconds(2), new FileRange(4096, 512)))
        {
            // nobody else who locks these 512 bytes is here
        }
    }
}
