// A file that nobody is to find when the program has ended, also when Ctrl-C or SIGTERM ends it.
using System.Runtime.InteropServices;

namespace ShmIpc.Examples.Terminal;

/// <summary>Removes a file when it is disposed, and when SIGINT or SIGTERM ends the program; what it is made into before that stays.
/// </summary>
public sealed class TemporaryFile : IDisposable
{
    private readonly PosixSignalRegistration[] _signals;

    /// <summary>Watches over a file that is to be made.</summary>
    /// <exception cref="ExampleException">The name is taken, or there is no such directory.</exception>
    public TemporaryFile(string path)
    {
        Path = System.IO.Path.GetFullPath(path);
        if (System.IO.Path.Exists(Path))
            throw new ExampleException(ExitCode.Failed, $"{Path} is there already: remove it.");
        if (!Directory.Exists(System.IO.Path.GetDirectoryName(Path)))
            throw new ExampleException(ExitCode.Failed, $"There is no directory {System.IO.Path.GetDirectoryName(Path)}.");
        // The handlers let the signal go on to end the program, as it would without them.
        _signals = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM }.Select(signal =>
            PosixSignalRegistration.Create(signal, _ => File.Delete(Path)))];
    }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        File.Delete(Path);
        foreach (PosixSignalRegistration signal in _signals)
            signal.Dispose();
    }
}
