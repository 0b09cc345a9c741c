using System.Runtime.CompilerServices;

namespace ShmIpc.InstructionCounts;

/// <summary>What check.sh tells valgrind the names of: it counts inside <see cref="Run"/> only, and writes down what it has counted, as
/// one profile, behind <see cref="End"/>.</summary>
internal static class Counted
{
    private static int _runs;
    private static int _ends;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Run(Action<int> work, int messages)
    {
        work(messages);
        _runs++; // so that the work is called, and not jumped to
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void End() => _ends++;
}
