// gdb, attached to several children at once: the kernel keeps every thread of theirs in a ptrace stop until it is detached.

using System.Diagnostics;
using System.Text;

namespace ShmIpc.ProcessTests.Harness;

internal sealed class Debugger : IDisposable
{
    private readonly Process _gdb;
    private readonly StringBuilder _said = new();

    private Debugger(Process gdb)
    {
        _gdb = gdb;
        gdb.OutputDataReceived += (_, line) => Received(line.Data);
        gdb.ErrorDataReceived += (_, line) => Received(line.Data);
        gdb.BeginOutputReadLine();
        gdb.BeginErrorReadLine();
    }

    /// <summary>Returns when every thread of theirs has stopped. Skips the test where gdb is missing or may not do that.</summary>
    public static Debugger Attach(IReadOnlyList<ChildProcess> children)
    {
        Assert.SkipUnless(NativeCode.IsOnPath("gdb"), "There is no gdb on the PATH to attach to a process.");
        Debugger debugger = new(Process.Start(new ProcessStartInfo("gdb", ["-nx", "-q", "-iex", "set auto-solib-add off"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!);
        try
        {
            debugger.Send("set confirm off");
            debugger.Send("set pagination off");
            foreach ((int index, ChildProcess child) in children.Index())
            {
                debugger.Send(index == 0 ? "echo" : $"add-inferior -no-connection\ninferior {index + 1}");
                debugger.Send($"attach {child.Id}");
            }

            Eventually.True(
                () => debugger.IsRefused || children.All(child => Linux.ThreadStates(child.Id).All(state => state == 't')),
                $"gdb attaches. It said:\n{debugger}");
            Assert.SkipWhen(debugger.IsRefused, $"gdb may not attach to a process here: {debugger}");
            return debugger;
        }
        catch
        {
            debugger.Dispose();
            throw;
        }
    }

    private bool IsRefused => ToString().Contains("Operation not permitted", StringComparison.Ordinal);

    public override string ToString()
    {
        lock (_said)
        {
            return _said.ToString();
        }
    }

    /// <summary>Detaches, and the children go on.</summary>
    public void Dispose()
    {
        _gdb.StandardInput.Dispose(); // gdb detaches from what it did not start, and ends
        if (!_gdb.WaitForExit(ChildProcess.Patience))
        {
            _gdb.Kill();
            _gdb.WaitForExit();
        }

        _gdb.Dispose();
    }

    private void Send(string command)
    {
        _gdb.StandardInput.WriteLine(command);
        _gdb.StandardInput.Flush();
    }

    private void Received(string? line)
    {
        lock (_said)
        {
            _said.AppendLine(line);
        }
    }
}
