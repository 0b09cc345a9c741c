// Which folder of src/ may use which, and where the sharp tools may lie.

using System.Text.RegularExpressions;

namespace ShmIpc.Tests.Architecture;

internal static partial class LayerRules
{
    private const string Root = "src/ShmIpc/";
    private const string Hosting = "src/ShmIpc.Hosting/";
    private const string DependencyInjection = "Microsoft.Extensions.DependencyInjection";

    // The exceptions in the root folder, and CrashPoint, may be used by everybody and use nobody.
    private static readonly Dictionary<string, string[]> _mayUse = new()
    {
        [Root] = [],
        [Root + "Interop/"] = [],
        [Root + "Memory/"] = ["Interop"],
        [Root + "Rings/"] = ["Memory"],
        [Root + "Waiting/"] = ["Interop", "Memory"],
        [Root + "Regions/"] = ["Interop", "Memory", "Waiting"],
        [Root + "Serialization/"] = ["Memory"],
        [Root + "Channels/"] = ["Interop", "Memory", "Rings", "Waiting", "Regions", "Serialization"],
        [Root + "Values/"] = ["Interop", "Memory", "Waiting", "Regions", "Serialization"],
        [Root + "Workers/"] = ["Interop", "Memory", "Rings", "Waiting", "Regions", "Serialization", "Channels"],
        [Root + "Diagnostics/"] = ["Interop", "Memory", "Rings", "Waiting", "Regions", "Serialization", "Channels", "Values", "Workers"],
        [Hosting] = ["Channels", "Serialization", "Regions", "Waiting"], // Waiting for its public WaitStrategy, a property of the channel options
    };

    public static IEnumerable<string> Arrows(SourceFile file)
    {
        if (file.Path.StartsWith("src/", StringComparison.Ordinal) && file.Path.EndsWith(".csproj", StringComparison.Ordinal)
            && file.Text.Contains("<Using", StringComparison.Ordinal))
        {
            yield return "a Using item hides from its files what they use; write the using directive";
        }

        if (!file.IsCSharpUnder("src/")) yield break;
        if (!_mayUse.TryGetValue(FolderOf(file), out string[]? mayUse))
        {
            yield return "the folder has no place among the layers; give it one in LayerRules.cs";
            yield break;
        }

        string own = Path.GetFileName(FolderOf(file).TrimEnd('/'));
        foreach (string used in UsedFolder().Matches(file.Code).Select(match => match.Groups["folder"].Value).Distinct())
        {
            if (used != own && !mayUse.Contains(used)) yield return $"uses {used}; it may use {Listed(mayUse)}";
        }
    }

    public static IEnumerable<string> NamespaceIsFolder(SourceFile file)
    {
        if (!file.IsCSharpUnder("src/")) yield break;
        string folder = FolderOf(file)["src/".Length..].TrimEnd('/').Replace('/', '.');
        string[] namespaces = [.. Namespace().Matches(file.Code).Select(match => match.Groups["name"].Value)];
        if (namespaces.Length == 0 && TypeDeclaration().IsMatch(file.Code)) yield return "declares a type in no namespace";
        foreach (string found in namespaces)
        {
            bool isDoor = found == DependencyInjection && file.Path.StartsWith(Hosting, StringComparison.Ordinal)
                && file.Path.EndsWith("Extensions.cs", StringComparison.Ordinal);
            if (found != folder && !isDoor) yield return $"namespace {found} in folder {folder}";
        }
    }

    public static IEnumerable<string> UnsafeCode(SourceFile file) =>
        Find(file, UnsafeToken(), "is allowed in Interop, Memory and Rings only", Root + "Interop/", Root + "Memory/", Root + "Rings/");

    public static IEnumerable<string> AtomicOperations(SourceFile file) =>
        Find(file, AtomicToken(), "is allowed in Memory/Atomics.cs only; use Atomics", Root + "Memory/Atomics.cs");

    public static IEnumerable<string> NativeImports(SourceFile file) =>
        Find(file, ImportToken(), "is allowed in Interop only", Root + "Interop/");

    private static IEnumerable<string> Find(SourceFile file, Regex token, string objection, params string[] allowedUnder) =>
        file.IsCSharpUnder("src/") && !allowedUnder.Any(allowed => file.Path.StartsWith(allowed, StringComparison.Ordinal))
            ? token.Matches(file.Code).Select(match => $"line {LineOf(file.Code, match.Index)}: `{match.Value.Trim()}` {objection}")
            : [];

    private static string FolderOf(SourceFile file) => file.Path[..(file.Path.LastIndexOf('/') + 1)];

    private static int LineOf(string text, int index) => text.AsSpan(0, index).Count('\n') + 1;

    private static string Listed(string[] folders) => folders.Length == 0 ? "no other folder" : string.Join(", ", folders);

    // Named in full, or in part (`Rings.LaneWriter` from within ShmIpc.*), but not as a member (`options.Channels.Add`).
    [GeneratedRegex(@"\bShmIpc\s*\.\s*(?<folder>Interop|Memory|Rings|Waiting|Regions|Serialization|Channels|Values|Workers|Diagnostics)\b"
        + @"|(?<![\w.?!\]\)]\s*)(?<folder>Interop|Rings|Waiting|Regions|Serialization|Workers)\s*\.\s*[A-Z]")]
    private static partial Regex UsedFolder();

    [GeneratedRegex(@"\bnamespace\s+(?<name>[\w.]+)")]
    private static partial Regex Namespace();

    [GeneratedRegex(@"\b(class|struct|interface|enum|record|delegate)\s+\w")]
    private static partial Regex TypeDeclaration();

    [GeneratedRegex(@"\bunsafe\b|\bUnsafe\s*\.|\bMemoryMarshal\s*\.|\bfixed\s*\(")]
    private static partial Regex UnsafeToken();

    [GeneratedRegex(@"\b(Volatile|Interlocked|volatile|MemoryBarrier)\b")]
    private static partial Regex AtomicToken();

    [GeneratedRegex(@"\b(DllImport|LibraryImport)(Attribute)?\b")]
    private static partial Regex ImportToken();
}
