// Kills a process between two machine instructions of its first thread: behind so many that follow a marker (Native/stepper.c, compiled
// when a test first asks for it). The process runs what is shipped; nothing in it takes part.

using System.Diagnostics;
using System.Globalization;

namespace ShmIpc.ProcessTests.Harness;

internal static class Stepper
{
    private static readonly Lazy<string> _program = new(() => NativeCode.Build("stepper.c", "stepper", "-pedantic"));

    /// <summary>Everything is compiled once, at its first call, and for good: the instructions are those of a process that is warm, and
    /// the same in each.</summary>
    public static readonly (string Key, object Value)[] Settings = [("DOTNET_TieredCompilation", 0)];

    /// <summary>Lets a child that has said "ready" go on, and kills it; returns when the kernel has buried it.</summary>
    /// <param name="child">It waits for "go", and marks beginning and end (<see cref="Linux.Mark"/>).</param>
    /// <param name="instructions">How many it may still execute behind the first marker.</param>
    /// <returns>How many it did, and whether it came to the second marker.</returns>
    public static (int Instructions, bool HasEnded) Kill(ChildProcess child, int instructions)
    {
        using Process stepper = Process.Start(new ProcessStartInfo(_program.Value, [Text(child.Id), Text(instructions)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        try
        {
            string answer = Line(stepper);
            Assert.SkipWhen(
                answer.StartsWith("refused", StringComparison.Ordinal), $"The kernel lets no process watch another here: {answer}.");
            Assert.Equal("attached", answer);
            child.Send("go");
            string[] words = Line(stepper).Split(' ');
            Assert.True(stepper.WaitForExit(ChildProcess.Patience));
            Assert.Equal(128 + Linux.SIGKILL, child.WaitForExit());
            return (int.Parse(words[1], CultureInfo.InvariantCulture), words[0] == "ended");
        }
        finally
        {
            if (!stepper.HasExited)
            {
                stepper.Kill();
            }
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Line(Process stepper)
    {
        Task<string?> line = stepper.StandardOutput.ReadLineAsync();
        Assert.True(line.Wait(ChildProcess.Patience), "The stepper says nothing.");
        return line.Result ?? throw new InvalidOperationException($"The stepper ended: {stepper.StandardError.ReadToEnd()}");
    }
}
