// A real second process: this executable again, in a role. The two talk in lines over stdin and stdout; everything that the test waits
// for has a bound, and an answer that does not come shows what the child wrote to stderr.
//
// No child survives: Dispose kills and reaps it, and the kernel kills it when the test runner dies (even a stopped one). That signal
// follows the *thread* that started the child, so one thread, which never ends, starts them all.

using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace ShmIpc.ProcessTests.Harness;

internal sealed class ChildProcess : IDisposable
{
    public const string Verb = "child";
    public const string ParentKey = "parent";

    /// <summary>The argument that names another executable than this one, which plays the role then.</summary>
    public const string ProgramKey = "program";

    /// <summary>The argument that names a command, as words, which is to start the child: see <see cref="Isolation"/>.</summary>
    public const string ViaKey = "via";

    /// <summary>As the parent: another program stands in between, which kills the child when it dies itself.</summary>
    public const int NoParent = 0;

    /// <summary>How long anything may take that should take milliseconds: the machine may be busy with something else.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // Somebody whom it started may have its stderr and live on.
    private static readonly TimeSpan _lastWords = Patience / 3;

    private static readonly BlockingCollection<Action> _starts = [];
    private static readonly Lazy<Thread> _launcher = new(StartLauncher);

    private readonly string _role;
    private readonly Process _process;
    private readonly BlockingCollection<string> _lines = [];
    private readonly StringBuilder _errors = new();
    private readonly TaskCompletionSource _errorsEnd = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isDisposed;

    private ChildProcess(string role, Process process)
    {
        _role = role;
        _process = process;
        Id = process.Id;
        process.OutputDataReceived += (_, line) => Received(line.Data);
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is null)
            {
                _errorsEnd.TrySetResult(); // nobody is left who could write anything
                return;
            }

            lock (_errors)
            {
                _errors.AppendLine(line.Data);
            }
        };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Id { get; }

    public static ChildProcess Start(string role, params IEnumerable<(string Key, object Value)> arguments)
    {
        ProcessStartInfo start = new(Path.ChangeExtension(typeof(ChildProcess).Assembly.Location, null))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_EnableDiagnostics"] = "0"; // a killed process would leave its diagnostics sockets in /tmp
        List<string> words = [Verb, role];
        string[] via = [];
        if (!arguments.Any(argument => argument.Key == ParentKey))
        {
            arguments = arguments.Append((ParentKey, Environment.ProcessId));
        }

        foreach ((string key, object value) in arguments)
        {
            if (key.StartsWith("DOTNET_", StringComparison.Ordinal))
            {
                start.Environment[key] = value.ToString(); // a setting of the child's runtime
            }
            else if (key == ProgramKey)
            {
                start.FileName = value.ToString()!;
            }
            else if (key == ViaKey)
            {
                via = (string[])value;
            }
            else
            {
                words.Add(string.Create(CultureInfo.InvariantCulture, $"{key}={value}"));
            }
        }

        string[] command = [.. via, start.FileName, .. words];
        start.FileName = command[0];
        foreach (string word in command[1..])
        {
            start.ArgumentList.Add(word);
        }

        _ = _launcher.Value;
        TaskCompletionSource<Process> started = new();
        _starts.Add(() =>
        {
            try
            {
                started.SetResult(Process.Start(start)!);
            }
            catch (Exception error)
            {
                started.SetException(error);
            }
        });
        return new ChildProcess(role, started.Task.GetAwaiter().GetResult());
    }

    /// <summary>Starts a child and waits until it says that it is ready.</summary>
    public static ChildProcess StartReady(string role, params IEnumerable<(string Key, object Value)> arguments) =>
        Start(role, arguments).BeReady();

    /// <summary>Waits until the child says that it is ready; one that does not is ended.</summary>
    public ChildProcess BeReady()
    {
        try
        {
            Expect("ready");
            return this;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public void Send(string line)
    {
        _process.StandardInput.WriteLine(line);
        _process.StandardInput.Flush();
    }

    /// <summary>The next line, whatever it is.</summary>
    public string Next() => _lines.TryTake(out string? line, Patience)
        ? line
        : throw new InvalidOperationException($"{this} said nothing more. {Errors()}");

    /// <summary>The next line must begin with <paramref name="word"/>; returns the words behind it.</summary>
    public string[] Expect(string word, TimeSpan? timeout = null)
    {
        if (!_lines.TryTake(out string? line, timeout ?? Patience))
        {
            string end = _lines.IsAddingCompleted ? "before it ended" : $"within {timeout ?? Patience}";
            throw new InvalidOperationException($"{this} did not say \"{word}\" {end}. {Errors()}");
        }

        string[] words = line.Split(' ');
        return words[0] == word
            ? words[1..]
            : throw new InvalidOperationException($"{this} said \"{line}\" instead of \"{word}\". {Errors()}");
    }

    /// <summary>True when the child has said something that nobody has taken yet.</summary>
    public bool HasSaid => _lines.Count > 0;

    public bool HasExited => _process.HasExited;

    /// <summary>True when it has ended, or no thread of it runs or waits for a processor.</summary>
    public bool IsAsleep
    {
        get
        {
            try
            {
                return _isDisposed || _process.HasExited || Linux.ThreadStates(Id).AsSpan().IndexOfAny('R', 'D') < 0;
            }
            catch (IOException)
            {
                return true; // it ended between the two looks
            }
        }
    }

    /// <summary>SIGKILL, and the child is reaped: the kernel has closed its files when this returns.</summary>
    public void Kill()
    {
        Linux.Signal(Id, Linux.SIGKILL);
        ExpectKilled();
    }

    /// <summary>The second half of <see cref="Kill"/>, for those who kill several at once.</summary>
    public void ExpectKilled()
    {
        int code = WaitForExit();
        if (code != 128 + Linux.SIGKILL)
        {
            throw new InvalidOperationException($"{this} ended by itself with code {code} before it was killed. {Errors()}");
        }
    }

    /// <summary>SIGSTOP; returns when every thread has stopped.</summary>
    public void Stop()
    {
        Linux.Signal(Id, Linux.SIGSTOP);
        Eventually.True(() => Linux.ThreadStates(Id).All(state => state == 'T'), $"{this} stops");
    }

    /// <summary>SIGSTOP without waiting for it; nothing when the child has ended.</summary>
    public void TryStop() => TrySignal(Linux.SIGSTOP);

    /// <inheritdoc cref="TryStop"/>
    public void TryContinue() => TrySignal(Linux.SIGCONT);

    public void Continue() => Linux.Signal(Id, Linux.SIGCONT);

    /// <summary>The exit code, 128 + n after signal n.</summary>
    public int WaitForExit(TimeSpan? timeout = null) => _process.WaitForExit(timeout ?? Patience)
        ? _process.ExitCode
        : throw new InvalidOperationException($"{this} did not end within {timeout ?? Patience}. {Errors()}");

    /// <summary>The child ends by itself, with code 0.</summary>
    public void ExpectEnd()
    {
        int code = WaitForExit();
        if (code != 0)
        {
            throw new InvalidOperationException($"{this} ended with code {code}. {Errors()}");
        }
    }

    public override string ToString() => $"Child {Id} ({_role})";

    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        if (!_process.HasExited)
        {
            _process.Kill();
            _ = _process.WaitForExit(Patience);
        }

        _process.StandardInput.Dispose(); // Process leaves it to whoever used it
        _process.Dispose();
        _lines.Dispose();
    }

    private void Received(string? line)
    {
        try
        {
            if (line is not null)
            {
                _lines.Add(line);
            }
            else
            {
                _lines.CompleteAdding(); // nobody is left who could say anything
            }
        }
        catch (ObjectDisposedException)
        {
            // the last words of a child that was disposed
        }
    }

    private void TrySignal(int signal)
    {
        if (!_process.HasExited)
        {
            Linux.TrySignal(Id, signal);
        }
    }

    /// <summary>What it wrote to stderr: all of it, when it has ended and left its stderr to nobody.</summary>
    public string Errors()
    {
        if (_process.HasExited)
        {
            _ = _errorsEnd.Task.Wait(_lastWords); // what it wrote last may still be on its way
        }

        lock (_errors)
        {
            return _errors.Length == 0 ? "It wrote nothing to stderr." : $"It wrote to stderr:\n{_errors}";
        }
    }

    private static Thread StartLauncher()
    {
        Thread thread = new(() =>
        {
            foreach (Action start in _starts.GetConsumingEnumerable())
            {
                start();
            }
        })
        {
            IsBackground = true,
            Name = "launcher of child processes",
        };
        thread.Start();
        return thread;
    }
}
