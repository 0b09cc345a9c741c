// A file that nobody is to find when the program has ended, also when Ctrl-C or SIGTERM ends it.
//
// The rest of the program runs on between the moment a signal has removed the file and the moment it ends the program. So the file is made
// in one place, before anybody can ask for it, and opened ever after as one that is there: nothing makes it a second time. And whoever
// finds it gone waits in Dispose for the end that the signal brings, instead of reporting what it broke.
using System.Runtime.InteropServices;

namespace ShmIpc.Examples.Terminal;

/// <summary>Makes a file, and removes it when it is disposed and when SIGINT or SIGTERM ends the program; what it is made into before that
/// stays.</summary>
public sealed class TemporaryFile : IDisposable
{
    private readonly Lock _gate = new();
    private readonly PosixSignalRegistration[] _signals;

    /// <summary>Makes it, empty.</summary>
    /// <exception cref="ExampleException">The name is taken, or there is no such directory.</exception>
    public TemporaryFile(string path)
    {
        Path = System.IO.Path.GetFullPath(path);
        if (System.IO.Path.Exists(Path))
            throw new ExampleException(ExitCode.Failed, $"{Path} is there already: remove it.");
        if (!Directory.Exists(System.IO.Path.GetDirectoryName(Path)))
            throw new ExampleException(ExitCode.Failed, $"There is no directory {System.IO.Path.GetDirectoryName(Path)}.");
        lock (_gate)
        {
            _signals = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM }.Select(signal => PosixSignalRegistration.Create(signal, Remove))];
            File.Open(Path, FileMode.CreateNew).Dispose();
        }
    }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>Opens it for writing, emptied.</summary>
    /// <exception cref="FileNotFoundException">A signal removed it, and is about to end the program.</exception>
    public FileStream Rewrite() => new(Path, FileMode.Truncate);

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            File.Delete(Path);
            foreach (PosixSignalRegistration signal in _signals)
                signal.Dispose();
        }
    }

    // The signal goes on to end the program, as it would without this; until then the gate stays shut.
    private void Remove(PosixSignalContext signal)
    {
        _gate.Enter();
        File.Delete(Path);
    }
}
