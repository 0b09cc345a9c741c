// What it takes to start a pool, measured in a program of its own (`worker-pool probe`): a process can be forked by one pool only.
using System.Diagnostics;
using System.Globalization;
using ShmIpc.Examples.Terminal;

namespace ShmIpc.Examples.Pool;

/// <param name="ReadyMilliseconds">From the call until all workers are ready.</param>
/// <param name="AnsweredMilliseconds">From the call until the first job is answered.</param>
/// <param name="TookMilliseconds">From the start of a worker until it was ready; the mean of all workers.</param>
/// <param name="ProcessorMilliseconds">Processor time of all processes, the program's own included, until the workers are ready; the kernel
/// counts it in steps of 10 ms.</param>
/// <param name="ReplacedMilliseconds">In a pool of one: from the worker's SIGKILL until another has answered a job. Else 0.</param>
/// <param name="Memory">What a worker takes then.</param>
internal sealed record StartUp(
    double ReadyMilliseconds, double AnsweredMilliseconds, double TookMilliseconds, double ProcessorMilliseconds, double ReplacedMilliseconds,
    WorkerMemory Memory)
{
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(5);

    /// <summary>Starts a pool, and ends it.</summary>
    /// <exception cref="ExampleException">There can be no such pool here; the message says why.</exception>
    public static StartUp Measure(string mode, int workers)
    {
        ProcessStartInfo start = SameProgram.With("probe", mode, $"{workers}");
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        start.Environment["DOTNET_EnableDiagnostics"] = "0"; // its killed worker would leave a socket in /tmp
        using Process program = Process.Start(start)!;
        Task<string> errors = program.StandardError.ReadToEndAsync();
        Task<string> output = program.StandardOutput.ReadToEndAsync();
        if (!program.WaitForExit(_patience))
        {
            program.Kill(); // its workers end with it
            throw new ExampleException(ExitCode.Failed, $"A pool of mode {mode} did not come to an end within five minutes.");
        }
        return program.ExitCode == 0
            ? Parse(output.Result)
            : throw new ExampleException(ExitCode.Failed, $"A pool of mode {mode} does not start: {errors.Result.Trim()}");
    }

    /// <summary>As <see cref="Parse"/> reads it.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{ReadyMilliseconds} {AnsweredMilliseconds} {TookMilliseconds} {ProcessorMilliseconds} {ReplacedMilliseconds} "
        + $"{Memory.PssBytes} {Memory.PrivateBytes} {Memory.OwnBytes}");

    private static StartUp Parse(string text)
    {
        string[] numbers = text.Split(' ');
        return new(Number(0), Number(1), Number(2), Number(3), Number(4), new(Bytes(5), Bytes(6), Bytes(7)));

        double Number(int place) => double.Parse(numbers[place], CultureInfo.InvariantCulture);
        long Bytes(int place) => long.Parse(numbers[place], CultureInfo.InvariantCulture);
    }
}
