// Guards what no compiler checks: who may use whom, where sharp tools lie, how files look. Each rule is a function over a file's path
// and text; it is applied to every file of the repository, and to made-up files that break it, so that a rule that never objects is
// noticed.

using Xunit;

namespace ShmIpc.Tests.Architecture;

public class ArchitectureTests
{
    private static readonly Rule[] _rules =
    [
        new(nameof(LayerRules.Arrows), LayerRules.Arrows),
        new(nameof(LayerRules.NamespaceIsFolder), LayerRules.NamespaceIsFolder),
        new(nameof(LayerRules.UnsafeCode), LayerRules.UnsafeCode),
        new(nameof(LayerRules.AtomicOperations), LayerRules.AtomicOperations),
        new(nameof(LayerRules.NativeImports), LayerRules.NativeImports),
        new(nameof(TextRules.Length), TextRules.Length),
        new(nameof(TextRules.TypeNames), TextRules.TypeNames),
        new(nameof(TextRules.FirstWords), TextRules.FirstWords),
        new(nameof(TextRules.RegistryHosts), TextRules.RegistryHosts),
        new(nameof(TextRules.TrailingSpace), TextRules.TrailingSpace),
    ];

    public static TheoryData<string> RuleNames => [.. _rules.Select(rule => rule.Name)];

    public static TheoryData<string, string, string> Offences { get; } = new()
    {
        { "Arrows", "src/ShmIpc/Rings/X.cs", "using ShmIpc.Interop;" },
        { "Arrows", "src/ShmIpc/Rings/X.cs", "var f = ShmIpc.Waiting.Spinner.Spin();" },
        { "Arrows", "src/ShmIpc/Rings/X.cs", "var f = Interop.Futex.Wait();" },
        { "Arrows", "src/ShmIpc/Rings/X.cs", "using Futex = ShmIpc . Interop . Futex;" },
        { "Arrows", "src/ShmIpc/Rings/X.cs", "var s = $\"{ShmIpc.Interop.Futex.Wait()}\";" },
        { "Arrows", "src/ShmIpc/Interop/X.cs", "using ShmIpc.Memory;" },
        { "Arrows", "src/ShmIpc/Memory/X.cs", "using ShmIpc.Waiting;" },
        { "Arrows", "src/ShmIpc/Waiting/X.cs", "using ShmIpc.Regions;" },
        { "Arrows", "src/ShmIpc/Regions/X.cs", "using ShmIpc.Rings;" },
        { "Arrows", "src/ShmIpc/Serialization/X.cs", "using ShmIpc.Channels;" },
        { "Arrows", "src/ShmIpc/Serialization/X.cs", "using ShmIpc.Regions;" },
        { "Arrows", "src/ShmIpc/Regions/X.cs", "using ShmIpc.Serialization;" },
        { "Arrows", "src/ShmIpc/Channels/X.cs", "using ShmIpc.Diagnostics;" },
        { "Arrows", "src/ShmIpc/Channels/X.cs", "using ShmIpc.Values;" },
        { "Arrows", "src/ShmIpc/Values/X.cs", "using ShmIpc.Rings;" },
        { "Arrows", "src/ShmIpc/X.cs", "using ShmIpc.Interop;" },
        { "Arrows", "src/ShmIpc.Hosting/X.cs", "using static ShmIpc.Memory.Atomics;" },
        { "Arrows", "src/ShmIpc/Elsewhere/X.cs", "class C;" },
        { "Arrows", "src/ShmIpc/ShmIpc.csproj", "<Using Include=\"ShmIpc.Interop\" />" },
        { "NamespaceIsFolder", "src/ShmIpc/Rings/X.cs", "namespace ShmIpc.Memory;" },
        { "NamespaceIsFolder", "src/ShmIpc/X.cs", "namespace ShmIpc.Memory { }" },
        { "NamespaceIsFolder", "src/ShmIpc/X.cs", "class C;" },
        { "NamespaceIsFolder", "src/ShmIpc.Hosting/X.cs", "namespace Microsoft.Extensions.DependencyInjection;" },
        { "UnsafeCode", "src/ShmIpc/Channels/X.cs", "internal unsafe class C;" },
        { "UnsafeCode", "src/ShmIpc/Regions/X.cs", "Unsafe.As<A>(b);" },
        { "UnsafeCode", "src/ShmIpc/Waiting/X.cs", "MemoryMarshal.Cast<A, B>(c);" },
        { "UnsafeCode", "src/ShmIpc.Hosting/X.cs", "fixed (byte* p = s) { }" },
        { "AtomicOperations", "src/ShmIpc/Memory/MemoryMapping.cs", "Volatile.Read(ref x);" },
        { "AtomicOperations", "src/ShmIpc/Channels/X.cs", "Interlocked.Increment(ref x);" },
        { "AtomicOperations", "src/ShmIpc/Channels/X.cs", "private volatile int _x;" },
        { "AtomicOperations", "src/ShmIpc/Channels/X.cs", "Thread.MemoryBarrier();" },
        { "NativeImports", "src/ShmIpc/Memory/X.cs", "[LibraryImport(\"libc\")]" },
        { "NativeImports", "src/ShmIpc/Memory/X.cs", "[DllImport(\"libc\")]" },
        { "Length", "src/ShmIpc/X.cs", new string('\n', 401) },
        { "Length", "src/ShmIpc/X.cs", new string('x', 141) },
        { "TypeNames", "src/ShmIpc/X.cs", "internal static class RegionHelper { }" },
        { "TypeNames", "src/ShmIpc/X.cs", "public readonly record struct LaneInfo(int Lane);" },
        { "TypeNames", "src/ShmIpc/X.cs", "interface IManager;" },
        { "TypeNames", "src/ShmIpc/X.cs", "enum Data { }" },
        { "TypeNames", "src/ShmIpc/X.cs", "static class Utils;" },
        { "FirstWords", "src/ShmIpc/X.cs", "namespace ShmIpc; // too late\nclass C;\n" },
        { "RegistryHosts", "anything.json", "https://api.NUGET" + ".org/v3" },
        { "TrailingSpace", "docs/x.md", "one \ntwo\n" },
        { "TrailingSpace", "x.sh", "one\t\r\n" },
    };

    public static TheoryData<string, string, string> Permitted { get; } = new()
    {
        { "Arrows", "src/ShmIpc/Rings/X.cs", "using ShmIpc.Memory;\nusing System.Threading.Channels;" },
        { "Arrows", "src/ShmIpc/Rings/X.cs", "// Not ShmIpc.Interop.\nvar s = \"ShmIpc.Interop\";" },
        { "Arrows", "src/ShmIpc/Channels/X.cs", "using ShmIpc.Interop; using ShmIpc.Memory; using ShmIpc.Rings; using ShmIpc.Regions;" },
        { "Arrows", "src/ShmIpc/Diagnostics/X.cs", "using ShmIpc.Channels;" },
        { "Arrows", "tests/ShmIpc.Tests/X.cs", "using ShmIpc.Interop;" },
        { "NamespaceIsFolder", "src/ShmIpc/Rings/X.cs", "namespace ShmIpc.Rings;" },
        { "NamespaceIsFolder", "src/ShmIpc/X.cs", "[assembly: InternalsVisibleTo(\"ShmIpc.Tests\")]" },
        { "NamespaceIsFolder", "src/ShmIpc.Hosting/XExtensions.cs", "namespace Microsoft.Extensions.DependencyInjection;" },
        { "UnsafeCode", "src/ShmIpc/Rings/X.cs", "unsafe { Unsafe.Add(ref x, 1); }" },
        { "UnsafeCode", "src/ShmIpc/Channels/X.cs", "/* unsafe */ ThreadPool.UnsafeQueueUserWorkItem(x); // fixed (it)" },
        { "AtomicOperations", "src/ShmIpc/Memory/Atomics.cs", "Volatile.Read(ref x); Interlocked.MemoryBarrier();" },
        { "AtomicOperations", "tests/ShmIpc.Tests/X.cs", "Interlocked.Increment(ref x);" },
        { "NativeImports", "src/ShmIpc/Interop/X.cs", "[LibraryImport(\"libc\")]" },
        { "Length", "src/ShmIpc/X.cs", new string('x', 140) + new string('\n', 400) },
        { "TypeNames", "src/ShmIpc/X.cs", "class DataSection { RegionInfo x; }" },
        { "FirstWords", "src/ShmIpc/X.cs", "// What it is for.\nnamespace ShmIpc;" },
        { "FirstWords", "src/ShmIpc/X.cs", "namespace ShmIpc;\n/// <summary>What it is for.</summary>\nclass C;" },
        { "TrailingSpace", "x.sln", "one\r\n\ttwo\r\n" },
    };

    [Theory]
    [MemberData(nameof(RuleNames))]
    public void Every_file_keeps_the_rule(string rule)
    {
        string[] objections = [.. SourceTree.Files.SelectMany(file => Objections(rule, file))];
        Assert.True(objections.Length == 0, string.Join(Environment.NewLine, objections));
    }

    [Theory]
    [MemberData(nameof(Offences))]
    public void A_file_that_breaks_the_rule_is_noticed(string rule, string path, string text) =>
        Assert.NotEmpty(Objections(rule, new SourceFile(path, text)));

    [Theory]
    [MemberData(nameof(Permitted))]
    public void A_file_that_keeps_the_rule_is_left_alone(string rule, string path, string text) =>
        Assert.Empty(Objections(rule, new SourceFile(path, text)));

    [Fact]
    public void Every_rule_is_shown_to_object() =>
        Assert.Equal(_rules.Select(rule => rule.Name), Offences.Select(offence => offence.Data.Item1).Distinct());

    [Fact]
    public void The_tree_is_really_read()
    {
        Assert.Contains(SourceTree.Files, file => file.Path == "src/ShmIpc/Memory/Atomics.cs");
        Assert.Contains(SourceTree.Files, file => file.Path == "Directory.Build.props");
        Assert.DoesNotContain(SourceTree.Files, file => file.Path.Contains("/obj/", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("a // b\nc", "a \nc")]
    [InlineData("a /* b\n */ c", "a \n c")]
    [InlineData("#pragma it's\nc", "\nc")]
    [InlineData("x('\\'', '\"', \"a\\\"b\", c)", "x(, , \"\", c)")]
    [InlineData("@\"a\"\"b\\\" + c", "\"\" + c")]
    [InlineData("$\"a {b} {{c}} {d(\"e\")} f\" + g", "\"\"bd(\"\") + g")]
    [InlineData("$\"{a switch { 1 => \"x}\", _ => b }}\" + c", "\"\"a switch { 1 => \"\", _ => b } + c")]
    [InlineData("\"\"\"a \"b\" {c}\n\"\"\" + d", "\"\"\n + d")]
    [InlineData("$$\"\"\"a {b} {{c}} d\"\"\" + e", "\"\"c + e")]
    [InlineData("\"not closed\nc", "\"\"\nc")]
    public void Comments_and_strings_are_not_code(string source, string code) =>
        Assert.Equal(code, CSharpCode.WithoutCommentsAndStrings(source));

    private static IEnumerable<string> Objections(string rule, SourceFile file) =>
        _rules.Single(candidate => candidate.Name == rule).Check(file).Select(objection => $"{file.Path}: {objection}");
}
