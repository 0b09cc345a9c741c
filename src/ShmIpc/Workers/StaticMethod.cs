// Static methods by name, as they travel to another process of the same program. A closure cannot travel: what it closes over stays here.

using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace ShmIpc.Workers;

internal static class StaticMethod
{
    private const string Separator = "::";
    private const string Reason = "Whoever names the method holds a delegate to it, so it is in the program; one that the trimmer left no "
        + "name of is an exception that says so.";

    /// <summary>The name of a static method.</summary>
    /// <exception cref="ArgumentException">It is a lambda, closes over something, or is an object's method.</exception>
    public static string NameOf(Delegate method)
    {
        if (method.Target is not null || !method.Method.IsStatic || method.Method.DeclaringType is not { } type)
        {
            throw new ArgumentException(
                $"{method.Method} is not a plain static method. It is to run in another process, where neither an object nor what a lambda "
                + "closes over is: make it a static method of a class, and pass its name.",
                nameof(method));
        }

        return $"{type.AssemblyQualifiedName}{Separator}{method.Method.Name}";
    }

    /// <summary>The method of a name.</summary>
    /// <exception cref="ShmException">There is none, or more than one.</exception>
    [UnconditionalSuppressMessage("Trimming", "IL2057", Justification = Reason)]
    [UnconditionalSuppressMessage("Trimming", "IL2075", Justification = Reason)]
    public static MethodInfo Find(string name)
    {
        string[] words = name.Split(Separator);
        const BindingFlags All = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;
        MethodInfo[] found = words.Length == 2 && Type.GetType(words[0]) is { } type
            ? [.. type.GetMethods(All).Where(method => method.Name == words[1])]
            : [];
        return found.Length == 1
            ? found[0]
            : throw new ShmException(
                $"There {(found.Length == 0 ? "is no" : "is more than one")} static method {name} in this program. A method that runs in "
                + "a worker needs a name of its own, and in a trimmed program [DynamicDependency].");
    }
}
