// The C peer (Native/peer.c over interop/c/shmipc.h), compiled when a test first asks for it.

using System.Collections.Concurrent;

namespace ShmIpc.ProcessTests.Harness;

internal static class CPeer
{
    private static readonly ConcurrentDictionary<string, Lazy<string>> _built = new();

    /// <summary>The optimised peer.</summary>
    public static string Program => Build("peer");

    /// <summary>A peer whose sleeps last an hour unless somebody ends them: it shows that wake-ups come.</summary>
    public static string SoundSleeper => Build("peer-sleeper", "-DSHMIPC_PARK_MS=3600000", "-DSHMIPC_SPINS=10");

    /// <summary>A peer that ends at its first access outside its memory, or at arithmetic that C does not define.</summary>
    public static string Sanitized => Build("peer-sanitized", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all");

    public static string Folder { get; } = Path.Combine(Fragment.Repository, "interop", "c");

    private static string Build(string name, params string[] options) => _built.GetOrAdd(
        name, _ => new Lazy<string>(() => NativeCode.Build("peer.c", name, ["-pedantic", .. options, "-I", Folder]))).Value;
}
