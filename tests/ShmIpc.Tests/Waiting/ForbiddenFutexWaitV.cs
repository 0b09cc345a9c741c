// A test run without futex_waitv: when the environment variable names an errno, this process forbids itself the call before anything else
// happens, with a seccomp filter on all of its threads. The kernel then answers as an old one would (ENOSYS), or as a sandbox (EPERM).

using System.ComponentModel;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ShmIpc.Tests.Waiting;

internal static unsafe partial class ForbiddenFutexWaitV
{
    public const string Variable = "SHMIPC_TEST_FUTEX_WAITV_ERRNO";
    private const uint SysFutexWaitV = 449;
    private const int PrSetNoNewPrivileges = 38;
    private const int SetModeFilter = 1;
    private const int SyncThreads = 1;
    private const uint Allow = 0x7FFF0000;
    private const uint Errno = 0x00050000;

    public static bool IsAsked => Environment.GetEnvironmentVariable(Variable) is not null;

    [ModuleInitializer]
    internal static void Apply()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { } errno)
        {
            return;
        }

        Instruction* program = stackalloc Instruction[]
        {
            new(0x20, 0, 0, 0), // load the number of the call
            new(0x15, 0, 1, SysFutexWaitV), // another one: skip the next
            new(0x06, 0, 0, Errno | uint.Parse(errno, CultureInfo.InvariantCulture)),
            new(0x06, 0, 0, Allow),
        };
        Program filter = new() { Length = 4, Instructions = program };
        int seccomp = RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? 277 : 317;
        if (prctl(PrSetNoNewPrivileges, 1, 0, 0, 0) != 0 || syscall(seccomp, SetModeFilter, SyncThreads, &filter) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError(), "seccomp refused the filter");
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int prctl(int option, nuint arg2, nuint arg3, nuint arg4, nuint arg5);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint operation, nint flags, Program* program);

    /// <summary>C's <c>struct sock_filter</c>.</summary>
    private readonly struct Instruction(ushort code, byte ifTrue, byte ifFalse, uint k)
    {
        public readonly ushort Code = code;
        public readonly byte IfTrue = ifTrue;
        public readonly byte IfFalse = ifFalse;
        public readonly uint K = k;
    }

    /// <summary>C's <c>struct sock_fprog</c>.</summary>
    private struct Program
    {
        public ushort Length;
        public Instruction* Instructions;
    }
}
