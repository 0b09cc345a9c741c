// What ShmIpc.dll really takes from Tmds.LibC, read from its metadata, so that a new use is compared with the C headers by itself.

using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace ShmIpc.Tests.Interop;

internal static class LibCUse
{
    private const string Namespace = "Tmds.Linux";
    private const string GetterPrefix = "get_";

    /// <summary>The constants in use, which Tmds.LibC has as properties.</summary>
    public static IReadOnlyList<string> Constants { get; } =
    [
        .. Members("LibC")
            .Where(name => name.StartsWith(GetterPrefix, StringComparison.Ordinal))
            .Select(name => name[GetterPrefix.Length..]),
    ];

    /// <summary>The fields in use of one struct.</summary>
    public static IReadOnlyList<string> Members(string type)
    {
        using var stream = File.OpenRead(typeof(ShmException).Assembly.Location);
        using var image = new PEReader(stream);
        var reader = image.GetMetadataReader();
        var names = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var handle in reader.MemberReferences)
        {
            var member = reader.GetMemberReference(handle);
            if (member.Parent.Kind != HandleKind.TypeReference) continue;
            var parent = reader.GetTypeReference((TypeReferenceHandle)member.Parent);
            if (reader.GetString(parent.Namespace) == Namespace && reader.GetString(parent.Name) == type)
            {
                names.Add(reader.GetString(member.Name));
            }
        }

        return [.. names];
    }

    /// <summary>The structs in use that stand for C structs, and not for C's integer types.</summary>
    public static IReadOnlyList<Type> Structs()
    {
        using var stream = File.OpenRead(typeof(ShmException).Assembly.Location);
        using var image = new PEReader(stream);
        var reader = image.GetMetadataReader();
        var names = reader.TypeReferences.Select(reader.GetTypeReference)
            .Where(type => reader.GetString(type.Namespace) == Namespace)
            .Select(type => typeof(Tmds.Linux.LibC).Assembly.GetType($"{Namespace}.{reader.GetString(type.Name)}", throwOnError: true)!);
        return [.. names.Where(type => type.IsValueType && type.GetFields().Length > 0).OrderBy(type => type.Name, StringComparer.Ordinal)];
    }
}
