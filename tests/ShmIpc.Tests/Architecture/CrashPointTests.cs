// The instants at which the crash tests kill cost nothing in what is shipped: the compiler left no trace of them in it.

using System.Collections.Immutable;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using ShmIpc.Channels;
using Xunit;

namespace ShmIpc.Tests.Architecture;

public class CrashPointTests
{
    private const string Type = "CrashPoint";

    [Fact]
    public void No_method_of_the_library_calls_a_crash_point() => Assert.Empty(Callers(typeof(ShmByteChannel).Assembly.Location));

    [Fact]
    public void The_methods_of_a_crash_point_are_empty()
    {
        using PEReader file = new(File.OpenRead(typeof(ShmByteChannel).Assembly.Location));
        MetadataReader reader = file.GetMetadataReader();
        TypeDefinition type = reader.GetTypeDefinition(reader.TypeDefinitions.Single(handle =>
            reader.GetString(reader.GetTypeDefinition(handle).Name) == Type));
        Assert.All(type.GetMethods(), handle => Assert.Equal(
            [(byte)ILOpCode.Ret],
            file.GetMethodBody(reader.GetMethodDefinition(handle).RelativeVirtualAddress).GetILBytes()!.Where(code => code != 0)));
    }

    [Fact]
    public void Where_they_are_compiled_in_they_are_found()
    {
        string instrumented = typeof(ShmByteChannel).Assembly.Location
            .Replace("ShmIpc.Tests", "ShmIpc.CrashTests", StringComparison.Ordinal)
            .Replace("ShmIpc.dll", "ShmIpc.CrashTests.dll", StringComparison.Ordinal);
        Assert.SkipUnless(File.Exists(instrumented), $"There is no {instrumented}: build the whole solution.");
        List<string> callers = Callers(instrumented);
        Assert.Contains("LaneWriter.Payload", callers);
        Assert.Contains("Atomics.Release", callers);
        Assert.Contains("LinuxFile.TryLinkAt", callers);
    }

    /// <summary>The methods that name a method of the class in their code.</summary>
    private static List<string> Callers(string assembly)
    {
        using PEReader file = new(File.OpenRead(assembly));
        MetadataReader reader = file.GetMetadataReader();
        HashSet<int> tokens = [.. reader.MethodDefinitions.Where(IsOfType).Select(handle => MetadataTokens.GetToken(handle))];
        Assert.NotEmpty(tokens);
        tokens.UnionWith(Enumerable.Range(1, reader.GetTableRowCount(TableIndex.MethodSpec))
            .Select(MetadataTokens.MethodSpecificationHandle)
            .Where(handle => tokens.Contains(MetadataTokens.GetToken(reader.GetMethodSpecification(handle).Method)))
            .Select(handle => MetadataTokens.GetToken(handle)));
        List<string> callers = [];
        foreach (MethodDefinitionHandle handle in reader.MethodDefinitions)
        {
            MethodDefinition method = reader.GetMethodDefinition(handle);
            if (method.RelativeVirtualAddress != 0 && !IsOfType(handle)
                && Calls(file.GetMethodBody(method.RelativeVirtualAddress).GetILContent(), tokens))
            {
                callers.Add($"{reader.GetString(reader.GetTypeDefinition(method.GetDeclaringType()).Name)}.{reader.GetString(method.Name)}");
            }
        }

        return callers;

        bool IsOfType(MethodDefinitionHandle handle) => reader.GetString(
            reader.GetTypeDefinition(reader.GetMethodDefinition(handle).GetDeclaringType()).Name) == Type;
    }

    private static bool Calls(ImmutableArray<byte> code, HashSet<int> tokens)
    {
        for (int i = 0; i + 5 <= code.Length; i++)
        {
            if (code[i] == (byte)ILOpCode.Call && tokens.Contains(BitConverter.ToInt32(code.AsSpan(i + 1, 4))))
            {
                return true;
            }
        }

        return false;
    }
}
