// How a method travels to another process of the same program: by its name. What a delegate captures cannot, so it is refused.

using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace ShmIpc.Workers;

internal static class StaticMethod
{
    private const string Reason = "Whoever names the method holds a delegate to it, so it is in the program; one that the trimmer left no "
        + "name of is an exception that says so.";

    private const BindingFlags Static = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    /// <summary>The method's type, its name and the types of its parameters, one a line.</summary>
    /// <exception cref="ArgumentException">The delegate is more than a static method by its name.</exception>
    public static string NameOf(Delegate body, [CallerArgumentExpression(nameof(body))] string? argument = null)
    {
        ArgumentNullException.ThrowIfNull(body, argument);
        MethodInfo method = body.Method;
        if (body.GetInvocationList().Length > 1)
        {
            throw Refuse("is several methods in one delegate");
        }

        if (body.Target is not null || !method.IsStatic)
        {
            throw Refuse(
                method.Name.StartsWith('<') ? "is a lambda or a local function that may capture variables" : "belongs to an object");
        }

        if (method.IsGenericMethod)
        {
            throw Refuse("is generic");
        }

        if (method.DeclaringType?.AssemblyQualifiedName is not { } type || method.Module.Assembly.IsDynamic)
        {
            throw Refuse("was made at run time");
        }

        return string.Join('\n', [type, method.Name, .. method.GetParameters().Select(Name)]);

        ArgumentException Refuse(string why) => new(
            $"The method {method.DeclaringType?.Name}.{method.Name} {why}. A worker is another process, which has only the program's code: "
            + "pass a static method by its name, and what it needs as part of the job or in the options' Arguments.",
            argument);
    }

    /// <summary>The method that <see cref="NameOf"/> named.</summary>
    /// <exception cref="ShmException">This program has no such method.</exception>
    [UnconditionalSuppressMessage("Trimming", "IL2057", Justification = Reason)]
    [UnconditionalSuppressMessage("Trimming", "IL2075", Justification = Reason)]
    public static MethodInfo Find(string name)
    {
        string[] lines = name.Split('\n');
        Type? type = lines.Length < 2 ? null : Type.GetType(lines[0]);
        return type?.GetMethods(Static).FirstOrDefault(
                method => method.Name == lines[1] && method.GetParameters().Select(Name).SequenceEqual(lines[2..]))
            ?? throw new ShmException(
                $"This program has no method {string.Join(" / ", lines)}. The worker must be the same program as the pool: was it rebuilt "
                + "while the pool was running? In a trimmed program, keep the method by [DynamicDependency].");
    }

    private static string Name(ParameterInfo parameter) => parameter.ParameterType.AssemblyQualifiedName ?? parameter.ParameterType.Name;
}
