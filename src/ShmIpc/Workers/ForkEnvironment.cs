// The settings of the runtime without which a process cannot be forked, as environment variables: they count only when the process
// starts. What they were before travels along, so that programs that a worker starts are not given them.

using System.Text;

namespace ShmIpc.Workers;

internal static class ForkEnvironment
{
    private const string Original = "SHMIPC_FORK_ORIGINAL";

    /// <summary>The variables, each of which is to be 0: code pages shared with the child, GC threads, the tiering thread with its locks,
    /// and the diagnostics server.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "DOTNET_EnableWriteXorExecute",
        "DOTNET_gcConcurrent",
        "DOTNET_gcServer",
        "DOTNET_TieredCompilation",
        "DOTNET_EnableDiagnostics",
    ];

    /// <summary>True when this process was started with all of them.</summary>
    public static bool IsSet()
    {
        string[] start = AtStart();
        return Names.All(name => start.Contains($"{name}=0"));
    }

    /// <summary>True when this process was started by <see cref="With"/>.</summary>
    public static bool IsMarked() => AtStart().Any(entry => entry.StartsWith($"{Original}=", StringComparison.Ordinal));

    /// <summary>This process's environment, with the variables.</summary>
    public static Dictionary<string, string> With()
    {
        Dictionary<string, string> variables = Current();
        StringBuilder original = new();
        foreach (string name in Names)
        {
            if (variables.TryGetValue(name, out string? value))
            {
                original.Append(name).Append('=').Append(value).Append('\n');
            }

            variables[name] = "0";
        }

        variables[Original] = original.ToString();
        return variables;
    }

    /// <summary>This process's environment, for a program that it starts.</summary>
    public static Dictionary<string, string> Current()
    {
        Dictionary<string, string> variables = [];
        foreach (System.Collections.DictionaryEntry entry in Environment.GetEnvironmentVariables())
        {
            variables[(string)entry.Key] = (string)entry.Value!;
        }

        return variables;
    }

    /// <summary>Puts back what <see cref="With"/> changed, for programs that this process starts; the runtime has read it.</summary>
    public static void Restore()
    {
        if (Environment.GetEnvironmentVariable(Original) is not { } original)
        {
            return;
        }

        Dictionary<string, string> values = original.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split('=', 2))
            .ToDictionary(pair => pair[0], pair => pair[1]);
        foreach (string name in Names)
        {
            Environment.SetEnvironmentVariable(name, values.GetValueOrDefault(name));
        }

        Environment.SetEnvironmentVariable(Original, null);
    }

    /// <summary>The value of a variable when this process started, which is what its runtime saw; null when there was none.</summary>
    public static string? ValueAtStart(string name) =>
        AtStart().LastOrDefault(entry => entry.StartsWith($"{name}=", StringComparison.Ordinal))?[(name.Length + 1)..];

    private static string[] AtStart()
    {
        try
        {
            return Encoding.UTF8.GetString(File.ReadAllBytes("/proc/self/environ")).Split('\0', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (UnauthorizedAccessException error)
        {
            throw new ShmException(
                "The kernel does not show this process the environment that it was started with (/proc/self/environ), because it has "
                + "become another user's, or may not be dumped. Undo that by prctl(PR_SET_DUMPABLE, 1), or do it behind the pool's start.",
                error);
        }
    }
}
