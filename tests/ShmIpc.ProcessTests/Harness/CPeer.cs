// The C peer (Native/peer.c over interop/c/shmipc.h), compiled by the machine's own compiler when a test first asks for it. What comes out
// lies beside the test assembly, where builds leave their things.

using System.Collections.Concurrent;
using System.Diagnostics;

namespace ShmIpc.ProcessTests.Harness;

internal static class CPeer
{
    private static readonly string[] _strict = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O2"];
    private static readonly ConcurrentDictionary<string, Lazy<string>> _built = new();

    /// <summary>The optimised peer.</summary>
    public static string Program => Build("peer");

    /// <summary>A peer whose sleeps last an hour unless somebody ends them: it shows that wake-ups come.</summary>
    public static string SoundSleeper => Build("peer-sleeper", "-DSHMIPC_PARK_MS=3600000", "-DSHMIPC_SPINS=10");

    /// <summary>A peer that ends at its first access outside its memory, or at arithmetic that C does not define.</summary>
    public static string Sanitized => Build("peer-sanitized", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all");

    public static string Folder { get; } = Path.Combine(Fragment.Repository, "interop", "c");

    /// <summary>Every C compiler under its usual name. Skips the test where there is none.</summary>
    public static IReadOnlyList<string> Compilers(params string[] names)
    {
        string[] found = [.. names.Where(IsOnPath)];
        Assert.SkipUnless(found.Length > 0, $"There is no {string.Join(" and no ", names)} on the PATH to compile the C peer with.");
        return found;
    }

    /// <summary>What the compiler says, empty when it is content.</summary>
    public static string Compile(string compiler, params IEnumerable<string> arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(compiler, arguments) { RedirectStandardError = true })!;
        Task<string> complaints = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(ChildProcess.Patience))
        {
            process.Kill();
            throw new InvalidOperationException($"{compiler} did not finish within {ChildProcess.Patience}.");
        }

        string text = complaints.GetAwaiter().GetResult();
        return process.ExitCode == 0 ? text : $"{compiler} exited with {process.ExitCode}:\n{text}";
    }

    private static string Build(string name, params string[] options)
    {
        string compiler = Compilers("gcc", "clang", "cc")[0];
        return _built.GetOrAdd(name, _ => new Lazy<string>(() =>
        {
            string program = Path.Combine(AppContext.BaseDirectory, name);
            string source = Path.Combine(Fragment.Repository, "tests", "ShmIpc.ProcessTests", "Native", "peer.c");
            string complaints = Compile(compiler, [.. _strict, .. options, "-I", Folder, source, "-o", program]);
            Assert.SkipWhen(
                options.Length > 2 && complaints.Contains("cannot find", StringComparison.Ordinal),
                $"{compiler} has no sanitizers here: {complaints}");
            Assert.Equal("", complaints);
            return program;
        })).Value;
    }

    public static bool IsOnPath(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(':', StringSplitOptions.RemoveEmptyEntries).Any(folder => File.Exists(Path.Combine(folder, name)));
}
