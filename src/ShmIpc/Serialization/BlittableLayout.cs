// Where the fields of a struct lie: found out by looking at the runtime's own layout, so that it holds for every kind of struct, under
// the JIT compiler and in native code alike, and for a struct that a later runtime lays out in another way.
//
// How an offset is found: a value is filled with bytes that say where they stand (byte i holds i; a second value holds i / 256, a third
// i / 65536); the first byte of a field's value, read by reflection, is then the field's offset in the whole, however deep it lies.
//
// What may be in it: a type of which every bit pattern is a value, or whose patterns are checked after the copy (FieldCheck). All else
// is refused: references and pointers mean nothing in another process, and a value that breaks the rules of its type can make the
// runtime itself read out of bounds.

using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using ShmIpc.Memory;

namespace ShmIpc.Serialization;

internal sealed class BlittableLayout
{
    public const DynamicallyAccessedMemberTypes Fields =
        DynamicallyAccessedMemberTypes.PublicFields | DynamicallyAccessedMemberTypes.NonPublicFields;

    private const int Probes = 3;

    private static readonly Dictionary<Type, string> _leaves = new()
    {
        [typeof(bool)] = "bool",
        [typeof(char)] = "char",
        [typeof(sbyte)] = "sbyte",
        [typeof(byte)] = "byte",
        [typeof(short)] = "short",
        [typeof(ushort)] = "ushort",
        [typeof(int)] = "int",
        [typeof(uint)] = "uint",
        [typeof(long)] = "long",
        [typeof(ulong)] = "ulong",
        [typeof(Int128)] = "Int128",
        [typeof(UInt128)] = "UInt128",
        [typeof(Half)] = "Half",
        [typeof(float)] = "float",
        [typeof(double)] = "double",
        [typeof(decimal)] = "decimal",
        [typeof(Guid)] = "Guid",
        [typeof(TimeSpan)] = "TimeSpan",
        [typeof(DateTime)] = "DateTime",
        [typeof(Vector2)] = "Vector2",
        [typeof(Vector3)] = "Vector3",
        [typeof(Vector4)] = "Vector4",
        [typeof(Quaternion)] = "Quaternion",
        [typeof(Matrix4x4)] = "Matrix4x4",
    };

    private readonly Type _root;
    private readonly List<(int Offset, string Type, string Path)> _fields = [];
    private readonly List<FieldCheck> _checks = [];

    private BlittableLayout(Type root) => _root = root;

    /// <summary>The whole layout as text, such as <c>16 bytes: 0 long Id, 8 bool IsBid</c>.</summary>
    public string Text { get; private set; } = "";

    /// <summary>FNV-1a of <see cref="Text"/>; never 0.</summary>
    public ulong Hash { get; private set; }

    /// <summary>What must hold of a value's bytes before anybody may see it.</summary>
    public FieldCheck[] Checks => [.. _checks];

    /// <exception cref="NotSupportedException">Some field cannot be carried; the message names it and says why.</exception>
    public static BlittableLayout Of<[DynamicallyAccessedMembers(Fields)] T>()
        where T : unmanaged
    {
        BlittableLayout layout = new(typeof(T));
        layout.Add(typeof(T), Visible(typeof(T)), Probe<T>(), 0, "");
        layout._fields.Sort(static (a, b) =>
            a.Offset != b.Offset ? a.Offset.CompareTo(b.Offset) : string.CompareOrdinal(a.Path, b.Path));
        layout.Text = $"{RuntimeHelpers.SizeOf(typeof(T).TypeHandle)} bytes: " + string.Join(", ", layout._fields.Select(
            static field => $"{field.Offset} {field.Type} {field.Path}".TrimEnd()));
        layout.Hash = Fnv1A(layout.Text);
        return layout;
    }

    private static object[] Probe<T>()
        where T : unmanaged
    {
        object[] probes = new object[Probes];
        for (int probe = 0; probe < Probes; probe++)
        {
            T value = default;
            Span<byte> bytes = ValueBytes.Of(ref value);
            for (int i = 0; i < bytes.Length; i++)
            {
                bytes[i] = (byte)(i >> (8 * probe));
            }

            probes[probe] = value;
        }

        return probes;
    }

    private static FieldInfo[] Visible([DynamicallyAccessedMembers(Fields)] Type type) =>
        type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);

    [UnconditionalSuppressMessage("Trimming", "IL2067", Justification = "A struct whose fields were left out is noticed and refused.")]
    private static FieldInfo[] VisibleIfKept(Type type) => Visible(type);

    /// <summary>Adds a part of the whole.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="fields">The fields of that type, as far as they can be seen.</param>
    /// <param name="probes">This part of each probe.</param>
    /// <param name="offset">Where it begins, in bytes from the start of the whole.</param>
    /// <param name="path">Its name, seen from the whole; empty for the whole itself.</param>
    private void Add(Type type, FieldInfo[] fields, object[] probes, int offset, string path)
    {
        Type leaf = type.IsEnum ? Enum.GetUnderlyingType(type) : type;
        if (_leaves.TryGetValue(leaf, out string? name))
        {
            _fields.Add((offset, name, path));
            if (FieldCheck.IsNeededFor(leaf))
            {
                _checks.Add(new FieldCheck(offset, leaf, path));
            }
        }
        else if (Objection(type, fields) is { } objection)
        {
            throw Refuse(path, objection);
        }
        else if (type.GetCustomAttribute<InlineArrayAttribute>() is { } array)
        {
            AddArray(fields[0].FieldType, array.Length, Read(fields[0], probes), offset, path);
        }
        else
        {
            foreach (FieldInfo field in fields)
            {
                AddField(field, probes, path);
            }
        }
    }

    private void AddField(FieldInfo field, object[] probes, string path)
    {
        // A property's field is named <Price>k__BackingField.
        string name = field.Name[0] == '<' ? field.Name[1..field.Name.IndexOf('>', StringComparison.Ordinal)] : field.Name;
        path = path.Length == 0 ? name : $"{path}.{name}";
        if (WithoutBox(field.FieldType) is { } objection)
        {
            throw Refuse(path, objection);
        }

        object[] parts = Read(field, probes);
        int offset = 0;
        for (int probe = 0; probe < Probes; probe++)
        {
            offset |= ValueBytes.First(parts[probe]) << (8 * probe);
        }

        if (field.GetCustomAttribute<FixedBufferAttribute>() is { } buffer)
        {
            AddArray(buffer.ElementType, buffer.Length, parts, offset, path);
        }
        else
        {
            Add(field.FieldType, VisibleIfKept(field.FieldType), parts, offset, path);
        }
    }

    /// <summary>Adds the first element as <c>Name[length x stride]</c>, and checks of all.</summary>
    private void AddArray(Type elementType, int length, object[] firstElement, int offset, string path)
    {
        int strideBytes = RuntimeHelpers.SizeOf(elementType.TypeHandle);
        int known = _checks.Count;
        Add(elementType, VisibleIfKept(elementType), firstElement, offset, $"{path}[{length} x {strideBytes}]");
        FieldCheck[] first = [.. _checks.Skip(known)];
        for (int element = 1; element < length; element++)
        {
            _checks.AddRange(first.Select(check => check with { Offset = check.Offset + (element * strideBytes) }));
        }
    }

    private static object[] Read(FieldInfo field, object[] probes) => [.. probes.Select(probe => field.GetValue(probe)!)];

    /// <summary>Types whose value in a box is not the value itself, so that they must be refused before they are looked at.</summary>
    private static string? WithoutBox(Type type)
    {
        if (type.IsPointer || type.IsFunctionPointer)
        {
            return "it is a pointer, which means nothing in another process. Send what it points to";
        }

        return Nullable.GetUnderlyingType(type) is null ? null : "it is nullable. Use a bool and a value, or another serializer";
    }

    private static string? Objection(Type type, FieldInfo[] fields)
    {
        if (type == typeof(nint) || type == typeof(nuint))
        {
            return "it is a native integer, which as a handle or an address means nothing in another process. Use int or long";
        }

        if (type.Assembly == typeof(object).Assembly && !typeof(ITuple).IsAssignableFrom(type))
        {
            return $"{type} may keep rules about its bits that a damaged message would break. Send its parts as numbers (ticks, for "
                + "instance), or use another serializer";
        }

        return fields.Length > 0 ? null : $"{type} has no fields that can be seen. When trimming or native compilation left them out, keep "
            + $"them with [DynamicDependency(PublicFields | NonPublicFields, typeof({type.Name}))] on a method that is called";
    }

    private static ulong Fnv1A(string text)
    {
        ulong hash = 14695981039346656037;
        foreach (byte value in Encoding.UTF8.GetBytes(text))
        {
            hash = (hash ^ value) * 1099511628211;
        }

        return Math.Max(hash, 1); // 0 would mean: no schema
    }

    private NotSupportedException Refuse(string path, string objection) => new(
        $"{_root} cannot be sent as a blittable struct" + (path.Length == 0 ? $": {objection}." : $" because of {path}: {objection}."));
}
