// Numbers that are no offset, length or page, given to every member that takes one: each is refused with what was asked for and what there
// is, or does what was asked; nothing overflows, and nothing is left behind.

using System.Globalization;
using System.Net.Sockets;
using ShmIpc.Memory;
using ShmIpc.Tests.Interop;
using Xunit;

namespace ShmIpc.Tests.Memory;

public sealed class MemoryArgumentTests : IDisposable
{
    private static readonly int _page = Environment.SystemPageSize;
    private static readonly long[] _numbers = [0, 1, -1, long.MinValue, long.MaxValue, 1L << 47, (1L << 47) + 1, 1L << 62, long.MaxValue & -_page, 12289];

    private readonly ScratchDirectory _scratch = new();

    private string FilePath => Path.Combine(_scratch.Path, "file");

    public static TheoryData<string> Names() => [.. Members.Keys];

    // Each takes a mapping of three pages of a file, the file, and a number.
    private static Dictionary<string, Action<MemoryMapping, MappedFile, long>> Members { get; } = new()
    {
        ["Read offset"] = (mapping, _, n) => mapping.Read(n, 1, _ => { }),
        ["Read length"] = (mapping, _, n) => mapping.Read(0, Clamped(n), _ => { }),
        ["Read value"] = (mapping, _, n) => mapping.Read<long>(n),
        ["Write offset"] = (mapping, _, n) => mapping.Write(n, 1, _ => { }),
        ["Write value"] = (mapping, _, n) => mapping.Write(n, 0L),
        ["ReadAt"] = (mapping, _, n) => mapping.ReadAt(n, new byte[3]),
        ["WriteAt"] = (mapping, _, n) => mapping.WriteAt(n, new byte[3]),
        ["IndexOf"] = (mapping, _, n) => mapping.IndexOf("x"u8, n),
        ["Count offset"] = (mapping, _, n) => mapping.Count("x"u8, n, 1),
        ["Count length"] = (mapping, _, n) => mapping.Count("x"u8, 0, n),
        ["Matches"] = (mapping, _, n) => Walk(mapping.Matches("x"u8, n)),
        ["Protect offset"] = (mapping, _, n) => mapping.Protect(n, _page, MemoryAccess.ReadWrite),
        ["Protect length"] = (mapping, _, n) => mapping.Protect(0, n, MemoryAccess.ReadWrite),
        ["Writable offset"] = (mapping, _, n) => mapping.Writable(n, 1).Dispose(),
        ["Writable length"] = (mapping, _, n) => mapping.Writable(0, n).Dispose(),
        ["Advise offset"] = (mapping, _, n) => mapping.Advise(n, _page, MemoryAdvice.Normal),
        ["Advise length"] = (mapping, _, n) => mapping.Advise(0, n, MemoryAdvice.Normal),
        ["Flush offset"] = (mapping, _, n) => mapping.Flush(n, 1),
        ["Flush length"] = (mapping, _, n) => mapping.Flush(0, n),
        ["Lock offset"] = (mapping, _, n) => mapping.Lock(n, 1).Dispose(),
        ["Lock length"] = (mapping, _, n) => mapping.Lock(0, n).Dispose(),
        ["Durable payload"] = (mapping, _, n) => Durable.Write(mapping, n, new byte[8], 8192, 1),
        ["Durable word"] = (mapping, _, n) => Durable.Write(mapping, 64, new byte[8], n, 1),
        ["Durable length"] = (mapping, _, n) => Durable.Commit(mapping, 64, n, 0, 1),
        ["file Read"] = (_, file, n) => file.Read(n, 1, _ => { }),
        ["file WriteAt"] = (_, file, n) => file.WriteAt(n, new byte[3]),
        ["file Count"] = (_, file, n) => file.Count("x"u8, n, n),
        ["file Matches"] = (_, file, n) => Walk(file.Matches("x"u8, n)),
    };

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public void A_number_that_cannot_be_meant_is_refused_in_words(string member)
    {
        using (var file = MappedFile.Create(FilePath, 3 * _page))
        using (var mapping = MemoryMapping.MapFile(FilePath))
        {
            foreach (var number in _numbers)
            {
                var error = Record.Exception(() => Members[member](mapping, file, number));
                if (error is null)
                {
                    Assert.InRange(number, 0, 3 * _page);
                    continue;
                }

                Assert.IsAssignableFrom<ArgumentException>(error);
                var numbers = error.Message.Replace(number.ToString(CultureInfo.InvariantCulture), "", StringComparison.Ordinal);
                if (number != Clamped(number) && member.EndsWith("Read length", StringComparison.Ordinal)) continue;
                Assert.DoesNotMatch("-[0-9]", numbers); // no sum that went round
            }

            Assert.True(mapping.TryUnmap()); // no refusal has left a hold
        }

        Assert.DoesNotContain(FilePath, File.ReadAllText("/proc/self/maps"), StringComparison.Ordinal);
        Assert.Empty(OpenFiles.Of(FilePath));
    }

    [Fact]
    public void An_empty_file_says_so_whatever_is_asked_for()
    {
        using var file = MappedFile.Create(FilePath, 0);
        foreach (var number in _numbers)
        {
            var error = Assert.Throws<ArgumentOutOfRangeException>(() => file.Read(number, 1, _ => { }));
            Assert.Contains("0 byte(s) are mapped", error.Message, StringComparison.Ordinal);
        }

        file.Read(0, 0, bytes => Assert.True(bytes.IsEmpty));
    }

    [Fact]
    public void Locked_pages_that_are_to_be_given_up_are_named()
    {
        using var mapping = MemoryMapping.MapAnonymous(3 * _page);
        if (!mapping.TryLock(_page, 1, onFault: false, out var token, out var refusal)) Assert.Skip(refusal.Message);
        var error = Assert.Throws<ShmException>(() => mapping.Advise(0, 3 * _page, MemoryAdvice.DontNeed));
        Assert.Contains("locked memory is not given up: unlock it first", error.Message, StringComparison.Ordinal);
        token.Dispose();
        mapping.Advise(0, 3 * _page, MemoryAdvice.DontNeed);
    }

    [Fact]
    public void An_address_beyond_the_address_space_is_named()
    {
        var address = (nint)((1L << 47) - _page);
        var options = new MemoryMappingOptions { Address = address, AddressIsRequired = true };
        Assert.SkipUnless(System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64, "Other processors have other ends.");
        var error = Assert.Throws<ShmException>(() => MemoryMapping.MapAnonymous(_page, options));
        Assert.Contains("choose a lower address", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("have room now", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_socket_that_is_not_connected_is_named()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        var error = Assert.Throws<ShmException>(() => DescriptorPassing.Receive(socket, new byte[1], 1, TimeSpan.FromSeconds(60)));
        Assert.Contains("not connected", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_disposed_says_what_it_was()
    {
        var file = MappedFile.Create(FilePath, 1);
        file.Dispose();
        var error = Assert.Throws<ObjectDisposedException>(file.Flush);
        Assert.Contains(nameof(MappedFile), error.ObjectName, StringComparison.Ordinal);
        var memory = MemoryFile.Create("disposed", 1);
        memory.Dispose();
        foreach (var use in (Action[])[() => memory.Grow(2), () => memory.Map(), () => _ = memory.Seals, () => memory.MakeInheritable()])
        {
            Assert.Contains("the object that it belongs to is disposed", Assert.Throws<ObjectDisposedException>(use).Message, StringComparison.Ordinal);
        }
    }

    // A regular file of no length, whose first byte nobody can read.
    [Fact]
    public void A_file_of_the_kernels_own_is_no_broken_disk()
    {
        var error = Record.Exception(() => MappedFile.Open("/proc/self/mem", new() { Access = MemoryAccess.ReadOnly }));
        Assert.SkipWhen(error is UnauthorizedAccessException, "This process may not open its own /proc/self/mem.");
        Assert.Contains("the kernel's own", Assert.IsType<ShmException>(error).Message, StringComparison.Ordinal);
    }

    private static int Clamped(long number) => (int)Math.Clamp(number, int.MinValue, int.MaxValue);

    private static void Walk(ByteMatches matches)
    {
        foreach (var _ in matches)
        {
        }
    }
}
