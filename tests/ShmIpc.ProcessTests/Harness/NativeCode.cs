// The C sources of Native/, compiled by the machine's own compiler when a test first asks for one. What comes out lies in a temporary
// directory of this run, since the tests' own may belong to another user, and goes with it after the last test.

using System.Diagnostics;
using ShmIpc.ProcessTests.Harness;

[assembly: AssemblyFixture(typeof(NativeCode))]

namespace ShmIpc.ProcessTests.Harness;

#pragma warning disable CA1515 // xunit wants it public
public sealed class NativeCode : IDisposable
{
    private static readonly string[] _strict = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-O2"];
    private static readonly Lazy<string> _folder = new(() => Directory.CreateTempSubdirectory(ScratchRoot.Prefix).FullName);

    /// <summary>Every C compiler under its usual name. Skips the test where there is none.</summary>
    internal static IReadOnlyList<string> Compilers(params string[] names)
    {
        string[] found = [.. names.Where(IsOnPath)];
        Assert.SkipUnless(found.Length > 0, $"There is no {string.Join(" and no ", names)} on the PATH to compile C with.");
        return found;
    }

    /// <summary>What the compiler says, empty when it is content.</summary>
    internal static string Compile(string compiler, params IEnumerable<string> arguments)
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

    /// <summary>Compiles a file of Native/. Skips the test where there is no compiler, where it has not what an option needs, and where
    /// nothing in the temporary directory can be run.</summary>
    /// <returns>The path of what came out.</returns>
    internal static string Build(string source, string name, params IEnumerable<string> options)
    {
        string compiler = Compilers("gcc", "clang", "cc")[0];
        string result = Path.Combine(_folder.Value, name);
        string path = Path.Combine(Fragment.Repository, "tests", "ShmIpc.ProcessTests", "Native", source);
        string complaints = Compile(compiler, [.. _strict, .. options, path, "-o", result]);
        Assert.SkipWhen(
            options.Any(option => option.StartsWith("-fsanitize", StringComparison.Ordinal))
                && complaints.Contains("cannot find", StringComparison.Ordinal),
            $"{compiler} has no sanitizers here: {complaints}");
        Assert.Equal("", complaints);
        Assert.SkipUnless(Linux.MayRun(result), $"Nothing in {_folder.Value} can be run (is it mounted with noexec?): set TMPDIR.");
        return result;
    }

    internal static bool IsOnPath(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(':', StringSplitOptions.RemoveEmptyEntries).Any(folder => File.Exists(Path.Combine(folder, name)));

    public void Dispose()
    {
        if (_folder.IsValueCreated)
        {
            Directory.Delete(_folder.Value, recursive: true);
        }
    }
}
