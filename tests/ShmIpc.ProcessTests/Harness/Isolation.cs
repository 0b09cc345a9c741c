// Commands that start a child in namespaces of its own, where a test may do to the machine what it likes: mount, fill, take process ids,
// turn clocks. Everything there ends with the child. As an ordinary user it takes user namespaces; where neither is allowed the test is
// skipped with what the kernel said.

using System.Collections.Concurrent;
using System.Diagnostics;

namespace ShmIpc.ProcessTests.Harness;

internal static class Isolation
{
    private static readonly ConcurrentDictionary<string, Lazy<string>> _complaints = new();

    /// <summary>The child sees mounts of its own.</summary>
    public static (string Key, object Value)[] Mounts => Unshare("--mount", "--propagation", "private");

    /// <summary>The child, or rather the child of the child that the test sees, is the first process of its own world.</summary>
    public static (string Key, object Value)[] ProcessIds => Unshare("--pid", "--fork", "--kill-child", "--mount-proc");

    /// <summary>As <see cref="ProcessIds"/>, with a clock that runs a day and some ahead.</summary>
    public static (string Key, object Value)[] Clock =>
        Unshare("--time", "--monotonic", "100000", "--boottime", "100000", "--fork", "--kill-child");

    private static (string Key, object Value)[] Unshare(params string[] options)
    {
        string[] user = Environment.IsPrivilegedProcess ? [] : ["--user", "--map-root-user"];
        string[] command = ["unshare", .. user, .. options];
        string complaint = _complaints.GetOrAdd(string.Join(' ', command), line => new Lazy<string>(() => Try(command))).Value;
        Assert.SkipUnless(complaint.Length == 0, $"{string.Join(' ', command)}: {complaint}");
        if (!options.Contains("--fork"))
        {
            return [(ChildProcess.ViaKey, command)];
        }

        // In between stands unshare, which the kernel kills with the test, and which then has its child killed.
        string[] mortal = ["setpriv", "--pdeathsig", "KILL", .. command];
        return [(ChildProcess.ViaKey, mortal), (ChildProcess.ParentKey, ChildProcess.NoParent)];
    }

    /// <summary>What is said about starting nothing that way; empty when it works.</summary>
    private static string Try(string[] command)
    {
        try
        {
            ProcessStartInfo start = new(command[0], [.. command[1..], "true"]) { RedirectStandardError = true };
            using Process process = Process.Start(start)!;
            Task<string> complaints = process.StandardError.ReadToEndAsync();
            if (!process.WaitForExit(ChildProcess.Patience))
            {
                process.Kill();
                return $"did not end within {ChildProcess.Patience}";
            }

            return process.ExitCode == 0 ? "" : complaints.GetAwaiter().GetResult().Trim() + $" (exit code {process.ExitCode})";
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            return error.Message;
        }
    }
}
