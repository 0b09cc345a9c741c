// One started process: a line out, a word in, and no way to outlive its owner. Disposing it kills it if it still runs.

using System.Diagnostics;
using System.Reflection;

namespace ShmIpc.Benchmarks.Contenders;

internal sealed class ChildProcess : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _errors;

    public ChildProcess(string program, IEnumerable<string> arguments)
    {
        _process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["DOTNET_EnableDiagnostics"] = "0", // a killed process would leave its diagnostics sockets in /tmp

                // Hot methods are compiled for good at once, not when the runtime has been quiet for 100 ms: its background thread shares
                // the one processor with the measured thread, and would come too late for a short warm-up. The code is the same.
                ["DOTNET_TC_CallCountingDelayMs"] = "0",
            },
        })!;
        _errors = _process.StandardError.ReadToEndAsync();
    }

    /// <summary>This program itself, started as `dotnet this.dll` or as an executable of its own, with one verb and its settings.</summary>
    public static ChildProcess OfThisProgram(string verb, string settings)
    {
        string program = Environment.ProcessPath ?? throw new InvalidOperationException("This process does not know its own path.");
        string[] arguments = [verb, settings];
        return new ChildProcess(
            program,
            Path.GetFileNameWithoutExtension(program) == "dotnet" ? [Assembly.GetEntryAssembly()!.Location, .. arguments] : arguments);
    }

    /// <summary>The next line of its output. An exception with its error output when it ended without one.</summary>
    public async Task<string> ReadLineAsync(CancellationToken cancellation) =>
        await _process.StandardOutput.ReadLineAsync(cancellation)
        ?? throw new InvalidOperationException($"{_process.StartInfo.FileName} ended without a result: {(await _errors).Trim()}");

    public void RequestStop()
    {
        try
        {
            _process.StandardInput.WriteLine();
        }
        catch (IOException)
        {
            // It has ended by itself.
        }
    }

    /// <summary>SIGKILL, now.</summary>
    public void Kill() => _process.Kill();

    /// <exception cref="InvalidOperationException">It failed.</exception>
    public async Task WaitForExitAsync(CancellationToken cancellation)
    {
        await _process.WaitForExitAsync(cancellation);
        if (_process.ExitCode != 0)
        {
            throw new InvalidOperationException(
                $"{_process.StartInfo.FileName} ended with exit code {_process.ExitCode}: {(await _errors).Trim()}");
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            // With its children: the C programs fork.
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit(5000);
        }

        _process.Dispose();
    }
}
