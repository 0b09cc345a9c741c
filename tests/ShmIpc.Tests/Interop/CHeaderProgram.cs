// A C program made of _Static_asserts: each constant against its C name, each struct's size and each field's place.

using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;

namespace ShmIpc.Tests.Interop;

internal sealed class CHeaderProgram
{
    // The kernel headers of Debian 12. Where they are older, a name that they lack is passed over; from here on it is an error.
    private const string CompleteHeaders = "KERNEL_VERSION(6, 1, 0)";

    // Names that came later than those headers: compared where they are, and passed over where they are not.
    private static readonly string[] _later = ["MFD_NOEXEC_SEAL", "F_SEAL_EXEC", "SYS_cachestat"];

    private readonly StringBuilder _source = new("""
        #define _GNU_SOURCE
        #include <errno.h>
        #include <fcntl.h>
        #include <poll.h>
        #include <signal.h>
        #include <spawn.h>
        #include <stddef.h>
        #include <sys/eventfd.h>
        #include <linux/memfd.h>
        #include <sys/mman.h>
        #include <linux/mman.h>
        #include <sys/prctl.h>
        #include <sys/resource.h>
        #include <sys/socket.h>
        #include <sys/stat.h>
        #include <sys/statfs.h>
        #include <sys/statvfs.h>
        #include <sys/syscall.h>
        #include <sys/uio.h>
        #include <sys/wait.h>
        #include <time.h>
        #include <unistd.h>
        #include <linux/futex.h>
        #include <linux/magic.h>
        #include <linux/membarrier.h>
        #include <linux/version.h>

        """);

    public int AssertCount { get; private set; }

    public override string ToString() => _source.ToString();

    public void Constant(string name, decimal value)
    {
        // What is an enum member in C is no macro: those names exist since long, and go unguarded.
        if (name.StartsWith("MEMBARRIER_", StringComparison.Ordinal) || name.StartsWith("RLIMIT_", StringComparison.Ordinal))
        {
            Assert($"{name} == {Number(value)}", name);
            return;
        }

        _source.AppendLine(CultureInfo.InvariantCulture, $"#ifdef {name}");
        Assert($"{name} == {Number(value)}", name);
        if (!_later.Contains(name))
        {
            _source.AppendLine(CultureInfo.InvariantCulture, $"#elif LINUX_VERSION_CODE >= {CompleteHeaders}");
            _source.AppendLine(CultureInfo.InvariantCulture, $"#error {name} is no C name");
        }

        _source.AppendLine("#endif");
    }

    public void Struct(Type type)
    {
        if (type.Name == "futex_waitv") _source.AppendLine("#ifdef FUTEX_32"); // both came with 5.16
        Size(type.Name, Marshal.SizeOf(type));
        foreach (var field in type.GetFields(BindingFlags.Public | BindingFlags.Instance))
        {
            if (type.Namespace == "Tmds.Linux" && field.Name.StartsWith("__", StringComparison.Ordinal)) continue; // padding
            Field(type.Name, field.Name, (int)Marshal.OffsetOf(type, field.Name), Marshal.SizeOf(field.FieldType));
        }

        if (type.Name == "futex_waitv") _source.AppendLine("#endif");
    }

    public void Size(string type, int sizeBytes) => Assert($"sizeof(struct {type}) == {sizeBytes}", $"struct {type}");

    public void Field(string type, string field, int offset, int sizeBytes)
    {
        Assert($"offsetof(struct {type}, {field}) == {offset}", $"{type}.{field}");
        Assert($"sizeof(((struct {type} *)0)->{field}) == {sizeBytes}", $"{type}.{field}");
    }

    private static string Number(decimal value) => value.ToString(CultureInfo.InvariantCulture) + (value < 0 ? "LL" : "ULL");

    private void Assert(string condition, string subject)
    {
        _source.AppendLine(CultureInfo.InvariantCulture, $"_Static_assert({condition}, \"{subject}: not {condition}\");");
        AssertCount++;
    }
}
