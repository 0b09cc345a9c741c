// What the promise of the memory toolkit rests on, that no program without `unsafe` faults: no public member gives away anything that
// reaches mapped memory by itself. Spans go into callbacks, from which the compiler lets none out.

using System.Buffers;
using System.Reflection;
using System.Runtime.CompilerServices;
using ShmIpc.Memory;
using Xunit;

namespace ShmIpc.Tests.Architecture;

public sealed class MemorySurfaceTests
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Type[] _views =
    [
        typeof(Span<>), typeof(ReadOnlySpan<>), typeof(Memory<>), typeof(ReadOnlyMemory<>), typeof(ReadOnlySequence<>), typeof(MemoryHandle),
        typeof(IMemoryOwner<>), typeof(MemoryManager<>), typeof(IntPtr), typeof(UIntPtr), typeof(TypedReference),
    ];

    private static readonly string[] _justified =
    [
        "ByteMatches.GetEnumerator", // ref structs for foreach, which have the caller's pattern and hand out offsets
        "MatchingLines.GetEnumerator",
        "MemoryMapping.Matches",
        "MemoryMapping.LinesWith",
        "MappedFile.Matches",
        "MappedFile.LinesWith",
        "MemoryMappingOptions.get_Address", // what the caller put there
        "ProcessMapping.get_Start", // numbers out of /proc, of any process
        "ProcessMapping.get_End",
    ];

    public static TheoryData<string> Offences =>
    [
        .. typeof(Offender).GetMembers(Declared)
            .Where(member => member is FieldInfo || (member is MethodInfo && member.Name != "Fine")).Select(member => member.Name),
    ];

    [Fact]
    public void No_public_member_gives_away_what_reaches_mapped_memory()
    {
        var types = typeof(MemoryMapping).Assembly.GetExportedTypes().Where(type => type.Namespace == typeof(MemoryMapping).Namespace).ToArray();
        Assert.Contains(typeof(MemoryMapping), types);
        var given = types.SelectMany(GivenAway).Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(_justified.Order(StringComparer.Ordinal), given);
    }

    [Theory]
    [MemberData(nameof(Offences))]
    public void A_member_that_does_is_noticed(string name) => Assert.Contains($"Offender.{name}", GivenAway(typeof(Offender)));

    [Fact]
    public void One_that_does_not_is_left_alone() => Assert.DoesNotContain("Offender.Fine", GivenAway(typeof(Offender)));

    // The other half: what a callback is lent it cannot return, because no result may be a ref struct, nor keep, because it is scoped. The
    // runtime's own delegates are not scoped, and need not be: they return nothing, and have their state by value.
    [Fact]
    public void Callbacks_cannot_let_a_span_out()
    {
        var callbacks = typeof(MemoryMapping).GetMethods().Concat(typeof(MappedFile).GetMethods())
            .SelectMany(method => method.GetParameters()).Select(parameter => parameter.ParameterType)
            .Where(type => type.IsAssignableTo(typeof(Delegate))).Select(type => type.IsGenericType ? type.GetGenericTypeDefinition() : type)
            .Distinct().ToArray();
        Type[] runtimes = [typeof(SpanAction<,>), typeof(ReadOnlySpanAction<,>)];
        Type[] expected = [typeof(SpanReader), typeof(SpanReader<>), typeof(SpanReader<,>), typeof(SpanWriter), .. runtimes];
        Assert.Equal(expected.ToHashSet(), callbacks.ToHashSet());
        foreach (var callback in callbacks)
        {
            var invoke = callback.GetMethod("Invoke")!;
            Assert.DoesNotContain(invoke.GetParameters(), parameter => parameter.ParameterType.IsByRef);
            Assert.False(invoke.ReturnType.IsByRefLike || Allows(invoke.ReturnType), $"{callback} may return a span.");
            if (runtimes.Contains(callback)) Assert.Equal(typeof(void), invoke.ReturnType);
            else Assert.NotNull(invoke.GetParameters()[0].GetCustomAttribute<ScopedRefAttribute>());
        }

        static bool Allows(Type type) => type.IsGenericParameter
            && type.GenericParameterAttributes.HasFlag(GenericParameterAttributes.AllowByRefLike);
    }

    private static IEnumerable<string> GivenAway(Type type)
    {
        foreach (var method in type.GetMethods(Declared).Where(IsReachable))
        {
            var outs = method.GetParameters().Select(parameter => parameter.ParameterType).Where(parameter => parameter.IsByRef);
            if (!Reaches(method.ReturnType) && !outs.Any(parameter => Reaches(parameter.GetElementType()!))) continue;
            yield return $"{type.Name}.{method.Name}";
        }

        foreach (var field in type.GetFields(Declared).Where(field => field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly))
        {
            if (Reaches(field.FieldType)) yield return $"{type.Name}.{field.Name}";
        }
    }

    private static bool IsReachable(MethodInfo method) =>
        (method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly) && method.DeclaringType!.BaseType != typeof(MulticastDelegate);

    private static bool Reaches(Type type) =>
        type.IsByRef || type.IsPointer || type.IsFunctionPointer || type.IsByRefLike
        || _views.Contains(type.IsGenericType ? type.GetGenericTypeDefinition() : type)
        || (type.HasElementType && Reaches(type.GetElementType()!))
        || (type.IsGenericType && type.GetGenericArguments().Any(Reaches))
        || type.GetInterfaces().Any(one => one.IsGenericType && one.GetGenericTypeDefinition() == typeof(IMemoryOwner<>));

#pragma warning disable CA1823, CA1051, CA1822, CS0649, CS0169, IDE0044, IDE0051 // made up to break the rule
    private abstract unsafe class Offender
    {
        public nint Address;
        protected Memory<byte>[]? Parts;

        public Span<byte> Span() => default;

        public ReadOnlySpan<byte> ReadOnly() => default;

        public ref byte Reference() => ref Array.Empty<byte>()[0];

        public ref readonly byte ReadOnlyReference() => ref Array.Empty<byte>()[0];

        public byte* Pointer() => null;

        public delegate*<void> Function() => null;

        public Task<ReadOnlyMemory<byte>> Later() => throw new NotSupportedException();

        public (int, Memory<byte>) Pair() => default;

        public MemoryManager<byte>? Manager() => null;

        public Keeper View() => default;

        public bool TryGet(out Span<byte> bytes)
        {
            bytes = default;
            return false;
        }

        public int Fine(Span<byte> destination, out int written) => written = destination.Length;
    }
#pragma warning restore CA1823, CA1051, CA1822, CS0649, CS0169, IDE0044, IDE0051

    private readonly ref struct Keeper;
}
