// Puts a call of Hits.Mark before each sequence point of an assembly.

using System.Text.RegularExpressions;
using Mono.Cecil;
using Mono.Cecil.Cil;
using Mono.Cecil.Rocks;

namespace ShmIpc.Coverage;

internal sealed partial class Instrumenter(string sources)
{
    private const string Own = "ShmIpc.Coverage.Hits";
    private readonly string _sources = sources;
    private readonly List<Point> _points = [];

    /// <summary>Rewrites the assembly in place and returns its points.</summary>
    public IReadOnlyList<Point> Run(string assemblyPath)
    {
        using AssemblyDefinition assembly = AssemblyDefinition.ReadAssembly(
            assemblyPath, new ReaderParameters { ReadSymbols = true, ReadWrite = true, InMemory = true });
        MethodDefinition mark = assembly.MainModule.GetType(Own).Methods.Single(method => method.Name == "Mark");
        foreach (TypeDefinition type in assembly.MainModule.GetTypes().Where(type => type.FullName != Own))
        {
            foreach (MethodDefinition method in type.Methods.Where(method => method.HasBody))
            {
                Instrument(method, mark);
            }
        }

        assembly.Write(assemblyPath, new WriterParameters { WriteSymbols = true });
        return _points;
    }

    private void Instrument(MethodDefinition method, MethodDefinition mark)
    {
        SequencePoint[] found = [.. method.DebugInformation.SequencePoints
            .Where(point => !point.IsHidden && IsSource(point.Document.Url))];
        if (found.Length == 0)
        {
            return;
        }

        MethodBody body = method.Body;
        body.SimplifyMacros();
        ILProcessor code = body.GetILProcessor();
        Dictionary<int, Instruction> at = body.Instructions.ToDictionary(instruction => instruction.Offset);
        foreach (SequencePoint point in found)
        {
            Instruction target = at[point.Offset];
            Instruction first = code.Create(OpCodes.Ldc_I4, _points.Count);
            code.InsertBefore(target, first);
            code.InsertBefore(target, code.Create(OpCodes.Call, mark));
            Redirect(body, target, first);
            _points.Add(new Point(
                Path.GetRelativePath(_sources, point.Document.Url), NameOf(method), point.StartLine, point.EndLine));
        }

        body.OptimizeMacros();
    }

    private bool IsSource(string path) => path.StartsWith(_sources, StringComparison.Ordinal)
        && !path.StartsWith(Path.Combine(_sources, "obj"), StringComparison.Ordinal);

    /// <summary>Who jumps to the point, or has it as an edge of a protected region, means the call before it from here on.</summary>
    private static void Redirect(MethodBody body, Instruction from, Instruction to)
    {
        foreach (Instruction instruction in body.Instructions)
        {
            if (instruction.Operand == from)
            {
                instruction.Operand = to;
            }
            else if (instruction.Operand is Instruction[] targets)
            {
                instruction.Operand = targets.Select(target => target == from ? to : target).ToArray();
            }
        }

        foreach (ExceptionHandler handler in body.ExceptionHandlers)
        {
            handler.TryStart = handler.TryStart == from ? to : handler.TryStart;
            handler.TryEnd = handler.TryEnd == from ? to : handler.TryEnd;
            handler.HandlerStart = handler.HandlerStart == from ? to : handler.HandlerStart;
            handler.HandlerEnd = handler.HandlerEnd == from ? to : handler.HandlerEnd;
            handler.FilterStart = handler.FilterStart == from ? to : handler.FilterStart;
        }
    }

    /// <summary>The method as the source has it; what the compiler makes of lambdas and async methods carries its name in brackets.</summary>
    private static string NameOf(MethodDefinition method)
    {
        foreach (string name in (string[])[method.Name, method.DeclaringType.Name])
        {
            Match match = Made().Match(name);
            if (match.Success)
            {
                return match.Groups[1].Value;
            }
        }

        return method.Name.Replace("get_", "", StringComparison.Ordinal).Replace("set_", "", StringComparison.Ordinal);
    }

    [GeneratedRegex("^<([^<>]+)>")]
    private static partial Regex Made();
}
