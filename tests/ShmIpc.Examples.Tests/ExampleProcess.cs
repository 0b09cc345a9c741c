// One of the example programs, run as people run it.
using System.Diagnostics;
using Xunit;

namespace ShmIpc.Examples.Tests;

internal static class ExampleProcess
{
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(5); // a start takes seconds where everybody builds

    /// <summary>Runs it to its end.</summary>
    public static (int ExitCode, string Output, string Errors) Run(string program, params string[] arguments)
    {
        using Process process = Start(program, arguments);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        WaitForEnd(process);
        Assert.True(Task.WaitAll([output, errors], _patience), "Somebody whom it started is left.");
        return (process.ExitCode, output.Result, errors.Result);
    }

    /// <summary>Runs it and expects a refusal: one line on standard error, and exit code 1.</summary>
    public static string Refused(string program, params string[] arguments)
    {
        (int exitCode, string output, string errors) = Run(program, arguments);
        Assert.True(exitCode == 1, $"{program} {string.Join(' ', arguments)} ended with {exitCode}: {output}{errors}");
        Assert.StartsWith($"{program}: ", errors, StringComparison.Ordinal);
        Assert.Equal(1, errors.Count(letter => letter == '\n'));
        return errors;
    }

    public static Process Start(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(Path.Combine(AppContext.BaseDirectory, program), arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_EnableDiagnostics"] = "0"; // some of them are killed, or kill some of theirs
        return Process.Start(start)!;
    }

    public static void WaitForEnd(Process process)
    {
        if (process.WaitForExit(_patience))
            return;
        process.Kill(entireProcessTree: true);
        Assert.Fail($"{process.StartInfo.FileName} {string.Join(' ', process.StartInfo.ArgumentList)} does not end.");
    }

    /// <summary>Waits for something that the program does.</summary>
    public static void WaitUntil(Process process, Func<bool> condition)
    {
        for (var clock = Stopwatch.StartNew(); !condition(); Thread.Sleep(1))
        {
            if (!process.HasExited && clock.Elapsed < _patience)
                continue;
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
            Assert.Fail($"It has not come to that: {process.StandardError.ReadToEnd()}");
        }
    }

    /// <summary>Sends a signal such as TERM.</summary>
    public static void Signal(Process process, string signal) => Sh($"kill -{signal} {process.Id}");

    /// <summary>Makes a pipe with a name.</summary>
    public static string MakePipe(string path)
    {
        Sh($"mkfifo '{path}'");
        return path;
    }

    /// <summary>The processes that have a text on their command line.</summary>
    public static IReadOnlyList<int> With(string text) =>
        [.. Directory.GetDirectories("/proc").Select(Path.GetFileName)
            .Where(name => int.TryParse(name, out _)).Select(name => int.Parse(name!))
            .Where(process => CommandLine(process).Contains(text, StringComparison.Ordinal))];

    private static string CommandLine(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/cmdline");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static void Sh(string command)
    {
        using Process shell = Process.Start("sh", ["-c", command]);
        shell.WaitForExit();
        Assert.Equal(0, shell.ExitCode);
    }
}
