// Asks the machine's own C compiler whether a program is right. Nothing is written: the source goes in by a pipe, and only its
// syntax and its _Static_asserts are checked.

using System.Diagnostics;
using Xunit;

namespace ShmIpc.Tests.Interop;

internal static class CCompiler
{
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(5);

    /// <summary>The compiler's complaints, empty when it has none. Skips the test where there is no compiler.</summary>
    public static string Check(string source)
    {
        var compiler = Find();
        if (compiler is null) Assert.Skip("No C compiler (cc, gcc or clang) is on the PATH to compare with the C headers.");

        using var process = Process.Start(new ProcessStartInfo(compiler!, ["-std=gnu11", "-fsyntax-only", "-x", "c", "-"])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        })!;
        var complaints = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        process.StandardInput.Write(source);
        process.StandardInput.Close();
        if (!process.WaitForExit(_patience))
        {
            process.Kill();
            Assert.Fail($"{compiler} did not finish within {_patience}.");
        }

        var text = complaints.GetAwaiter().GetResult();
        return process.ExitCode == 0 ? "" : $"{compiler} exited with {process.ExitCode}:\n{text}";
    }

    private static string? Find() =>
        (from name in (string[])["cc", "gcc", "clang"]
         from directory in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
         let path = Path.Combine(directory, name)
         where File.Exists(path)
         select path).FirstOrDefault();
}
