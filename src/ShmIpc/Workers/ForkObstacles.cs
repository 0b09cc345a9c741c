// Everything in this process that a fork does not survive, found where the kernel and the runtime say it, not where it was configured.

using System.Runtime;
using System.Runtime.CompilerServices;
using ShmIpc.Interop;

namespace ShmIpc.Workers;

internal static class ForkObstacles
{
    private const string Cure = "Call ForkSupport.EnsureForkable(args) first thing in Main, or start with";

    // The runtime's own threads that a fork does without, and that hold no lock while they sleep.
    private static readonly string[] _harmlessThreads = [".NET SynchManag", ".NET Finalizer"];

    private static readonly (string Prefix, string Meaning)[] _runtimeThreads =
    [
        (".NET TP", "the thread pool has been used (by a Task, an await, a timer)"),
        (".NET SigHandler", "signals are handled (by Console, Process or PosixSignalRegistration)"),
        (".NET Signal", "signals are handled (by Console, Process or PosixSignalRegistration)"),
        (".NET BGC", "the garbage collector works in the background; start with DOTNET_gcConcurrent=0"),
        (".NET Server GC", "the garbage collector has threads of its own; start with DOTNET_gcServer=0"),
        (".NET Tiered", "code is compiled in the background; start with DOTNET_TieredCompilation=0"),
        (".NET EventPipe", "the diagnostics server runs; start with DOTNET_EnableDiagnostics=0"),
        (".NET DebugPipe", "a debugger may attach; start with DOTNET_EnableDiagnostics=0"),
        (".NET Sockets", "sockets are awaited"),
        (".NET Timer", "a timer has been used"),
        (".NET File Watcher", "files are watched"),
    ];

    /// <summary>Every reason why this process cannot fork now.</summary>
    public static List<string> Find(string? processDirectory = null)
    {
        string process = processDirectory ?? "/proc/self";
        List<string> reasons = [];
        if (!LinuxChild.HasFork)
        {
            reasons.Add("the C library has no _Fork: glibc 2.34 or later is needed.");
        }

        if (File.ReadLines($"{process}/maps").Any(line => line.Contains("doublemapper", StringComparison.Ordinal)))
        {
            reasons.Add(
                $"compiled code is mapped twice, and a child would share it with its parent (W^X). {Cure} DOTNET_EnableWriteXorExecute=0.");
        }

        if (GCSettings.IsServerGC)
        {
            reasons.Add($"the server garbage collector has threads of its own. {Cure} DOTNET_gcServer=0.");
        }

        if (GC.GetConfigurationVariables().TryGetValue("ConcurrentGC", out object? concurrent) && concurrent is true)
        {
            reasons.Add($"the garbage collector works in the background (concurrent). {Cure} DOTNET_gcConcurrent=0.");
        }

        if (RuntimeFeature.IsDynamicCodeSupported)
        {
            try
            {
                if (IsOn("DOTNET_TieredCompilation", "System.Runtime.TieredCompilation"))
                {
                    reasons.Add($"code is compiled in the background (tiered compilation). {Cure} DOTNET_TieredCompilation=0.");
                }

                if (IsOn("DOTNET_EnableDiagnostics", "System.Runtime.EnableDiagnostics"))
                {
                    reasons.Add($"the diagnostics server is on. {Cure} DOTNET_EnableDiagnostics=0.");
                }
            }
            catch (ShmException error)
            {
                reasons.Add(error.Message); // nobody can say
            }
        }

        reasons.AddRange(Threads(process));
        return reasons;
    }

    private static IEnumerable<string> Threads(string process)
    {
        int main = LinuxProcess.ProcessId();
        foreach (string directory in Directory.GetDirectories($"{process}/task"))
        {
            string id = Path.GetFileName(directory);
            string name;
            try
            {
                name = File.ReadAllText($"{directory}/comm").TrimEnd('\n');
            }
            catch (IOException)
            {
                continue; // it has just ended
            }

            // In a forked process the thread that forked has become the main one, whatever its name.
            if (id == $"{main}" || _harmlessThreads.Contains(name))
            {
                continue;
            }

            string? meaning = _runtimeThreads
                .FirstOrDefault(known => name.StartsWith(known.Prefix, StringComparison.Ordinal)).Meaning;
            yield return meaning is null
                ? $"another thread runs: {id} (\"{name}\"). Fork before it is started, or after it has ended."
                : $"another thread runs: {id} (\"{name}\"), because {meaning}. Fork before that.";
        }
    }

    private static bool IsOn(string variable, string setting)
    {
        string? value = ForkEnvironment.ValueAtStart(variable)
            ?? ForkEnvironment.ValueAtStart(variable.Replace("DOTNET_", "COMPlus_", StringComparison.Ordinal));
        if (value is not null)
        {
            return value.TrimStart('0', 'x', 'X').Length > 0; // a hexadecimal number
        }

        return !string.Equals($"{AppContext.GetData(setting)}", "false", StringComparison.OrdinalIgnoreCase);
    }
}
