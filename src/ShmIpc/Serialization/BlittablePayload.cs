using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using ShmIpc.Memory;

namespace ShmIpc.Serialization;

/// <summary>Sends a struct as the bytes it has in memory: the fastest serializer, and the strictest. No allocation, and no code but a
/// copy. Both sides must have the same struct, which the schema sees to.</summary>
/// <typeparam name="T">The message type: numbers, enums, <c>bool</c>, <c>char</c>, <c>decimal</c>, <c>Guid</c>, <c>DateTime</c>,
/// <c>TimeSpan</c>, vectors, and structs, tuples, inline arrays and fixed buffers of these.</typeparam>
/// <remarks>
/// <para>A message of another length, or with a <c>bool</c> other than 0 and 1, a <c>decimal</c> or a <c>DateTime</c> that there cannot
/// be, is refused when it is read. Everything else takes any bytes: an enum may hold a number that has no name, a <c>char</c> half of a
/// pair, a <c>double</c> any NaN.</para>
/// <para>The bytes between fields are copied too, whatever they hold.</para>
/// </remarks>
public sealed class BlittablePayload<[DynamicallyAccessedMembers(BlittableLayout.Fields)] T> : IPayloadSerializer<T>
    where T : unmanaged
{
    private readonly FieldCheck[] _checks;

    /// <summary>Creates the serializer. It looks at the fields of <typeparamref name="T"/> once, here.</summary>
    /// <param name="format">Name of the format in the channel's header. Null: <c>blittable/</c> and the full name of
    /// <typeparamref name="T"/>; give a name when the two sides use types of different names.</param>
    /// <exception cref="NotSupportedException">A field is a pointer, a native integer or nullable, or of a framework type that is not in
    /// the list above; or trimming left out the fields of a struct in <typeparamref name="T"/>. The message names the field.</exception>
    public BlittablePayload(string? format = null)
    {
        BlittableLayout layout = BlittableLayout.Of<T>();
        Format = format ?? $"blittable/{typeof(T)}";
        Schema = layout.Hash;
        Layout = layout.Text;
        _checks = layout.Checks;
    }

    /// <inheritdoc/>
    public string Format { get; }

    /// <summary>A hash of <see cref="Layout"/>.</summary>
    public ulong Schema { get; }

    /// <summary>The size, and the offset, type and name of every field, such as <c>16 bytes: 0 long Id, 8 bool IsBid</c>. Print it on both
    /// sides when a channel is refused because of its schema.</summary>
    public string Layout { get; }

    /// <inheritdoc/>
    public void Serialize(IBufferWriter<byte> destination, T value)
    {
        ArgumentNullException.ThrowIfNull(destination);
        ReadOnlySpan<byte> bytes = ValueBytes.Of(ref value);
        bytes.CopyTo(destination.GetSpan(bytes.Length));
        destination.Advance(bytes.Length);
    }

    /// <inheritdoc/>
    public T Deserialize(ReadOnlyMemory<byte> payload)
    {
        T value = default;
        Span<byte> bytes = ValueBytes.Of(ref value);
        if (payload.Length != bytes.Length)
        {
            throw new InvalidDataException($"it has {payload.Length} bytes, and {typeof(T)} has {bytes.Length}.");
        }

        payload.Span.CopyTo(bytes); // copied first and then checked: a peer may write on
        foreach (FieldCheck check in _checks)
        {
            if (!check.Holds(bytes))
            {
                throw new InvalidDataException($"byte {check.Offset} begins no {check.Type.Name} (field {check.Path}).");
            }
        }

        return value;
    }
}
