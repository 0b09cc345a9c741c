// memory lock FILE -- COMMAND: holds a lock on a file, or on a range of it, while a command runs, as flock(1) does.
using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using ShmIpc.Examples.Terminal;
using ShmIpc.Memory;

namespace ShmIpc.Examples.Memory.Commands;

internal static class LockCommand
{
    public static Command Create()
    {
        var file = new Argument<FileInfo>("FILE") { Description = "The file to lock; an empty one is made where there is none" };
        var words = new Argument<string[]>("COMMAND") { Description = "What to run meanwhile, after --", Arity = ArgumentArity.OneOrMore };
        var shared = new Option<bool>("--shared") { Description = "Let other shared locks in (default: an exclusive one, alone)" };
        var range = new Option<string?>("--range") { Description = "First and last byte, 0-99, or 100- (default: all)", HelpName = "A-B" };
        var wait = new Option<string?>("--wait") { Description = "How long to wait, such as 2s (default: for ever)", HelpName = "TIME" };
        var command = new Command("lock", "Holds a lock on a file while a command runs, and ends with its exit code")
        {
            file, words, shared, range, wait,
        };
        command.SetAction(parsed => Run(
            parsed.GetRequiredValue(file).FullName,
            parsed.GetValue(shared) ? FileLockKind.Shared : FileLockKind.Exclusive,
            RangeOf(parsed.GetValue(range)),
            TimeoutOf(parsed.GetValue(wait)),
            parsed.GetRequiredValue(words)));
        return command;
    }

    private static int Run(string path, FileLockKind kind, FileRange range, TimeSpan timeout, string[] words)
    {
        if (!Path.Exists(path)) File.Open(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite).Dispose();
        using FileLock held = FileLock.TryAcquire(path, kind, range) ?? Wait(path, kind, range, timeout);
        Console.Error.WriteLine($"Took {(kind == FileLockKind.Shared ? "a" : "an")} {held}.");
        // Ctrl+C reaches the command too, and is its to answer. It never runs on without the lock, whenever the end comes.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => signal.Cancel = true);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var end = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            ended.TrySetResult();
        });
        try
        {
            using Process command = Process.Start(words[0], words[1..]); // which does not get the lock: it is closed at exec
            _ = ended.Task.ContinueWith(_ => command.Kill(entireProcessTree: true), TaskScheduler.Default);
            command.WaitForExit();
            return command.ExitCode;
        }
        catch (Win32Exception e)
        {
            throw new ExampleException(ExitCode.Failed, e.Message);
        }
    }

    private static FileLock Wait(string path, FileLockKind kind, FileRange range, TimeSpan timeout)
    {
        if (FileLock.FindConflict(path, kind, range) is { } conflict) Console.Error.WriteLine($"Waiting: in the way is {conflict}.");
        try
        {
            return FileLock.Acquire(path, kind, timeout, range);
        }
        catch (TimeoutException e)
        {
            throw new ExampleException(ExitCode.Failed, e.Message);
        }
    }

    private static FileRange RangeOf(string? text)
    {
        if (text is null) return FileRange.Whole;
        string[] ends = text.Split('-');
        if (ends.Length == 2 && TryNumber(ends[0], out long first))
        {
            if (ends[1].Length == 0) return FileRange.From(first);
            if (TryNumber(ends[1], out long last) && last >= first) return new FileRange(first, last - first + 1);
        }

        throw new ExampleException(ExitCode.Failed, $"--range {text} is none: write the first and the last byte, such as 0-99, or 100-.");
    }

    private static TimeSpan TimeoutOf(string? text) => text is null
        ? Timeout.InfiniteTimeSpan
        : Duration.TryParse(text, out TimeSpan timeout)
            ? timeout
            : throw new ExampleException(ExitCode.Failed, $"--wait {text} is no duration: write one such as 500ms, 2s or 1m.");

    private static bool TryNumber(string text, out long number) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number < long.MaxValue;
}
