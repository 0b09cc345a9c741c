// The instants at which a death makes a difference to others: before each store to memory that they may see, and before each system call
// that they may notice. Between two of them a process can die wherever it likes; nobody else can tell where.
//
// Calls exist only where CRASH_POINTS is defined: the shipped library has none, which a test checks. tests/ShmIpc.CrashTests compiles
// these sources with it, and adds the other half of this class, which dies at the instant that a test names.

using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace ShmIpc;

internal static partial class CrashPoint
{
    /// <summary>A word is about to change.</summary>
    [Conditional("CRASH_POINTS")]
    public static void BeforeStore<T>(ref T word, [CallerMemberName] string operation = "") => OnStore(ref word, operation);

    /// <summary>Bytes are about to change.</summary>
    [Conditional("CRASH_POINTS")]
    public static void BeforeStore(Span<byte> bytes, [CallerMemberName] string operation = "") => OnStore(bytes, operation);

    /// <summary>A system call is about to be made.</summary>
    [Conditional("CRASH_POINTS")]
    public static void BeforeCall(string call) => OnCall(call);

    static partial void OnStore<T>(ref T word, string operation);

    static partial void OnStore(Span<byte> bytes, string operation);

    static partial void OnCall(string call);
}
