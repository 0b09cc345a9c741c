using System.Diagnostics.CodeAnalysis;
using ShmIpc.Interop;
using ShmIpc.Regions;
using ShmIpc.Serialization;

namespace ShmIpc.Values;

/// <summary>Opens, creates and deletes shared values: the latest value of something, written by one process at a time and read by any
/// number.</summary>
/// <remarks>A name has 1 to 200 of the characters A-Z a-z 0-9 . _ - and starts with a letter or a digit. Values and channels share the
/// names of a directory.</remarks>
public static class SharedValue
{
    private const string DynamicCode = "The default serializer is MessagePack with run-time generated formatters. Pass a serializer.";

    /// <summary>Opens a shared value of MessagePack format, or creates it when there is none of that name.</summary>
    /// <inheritdoc cref="CreateOrOpen{T}(string, IPayloadSerializer{T}, SharedValueOptions?)"/>
    [RequiresDynamicCode(DynamicCode)]
    [RequiresUnreferencedCode(DynamicCode)]
    public static SharedValue<T> CreateOrOpen<T>(string name, SharedValueOptions? options = null) =>
        CreateOrOpen(name, new MessagePackPayload<T>(), options);

    /// <summary>Opens a shared value, or creates it when there is none of that name. Two processes that do so at once share one.</summary>
    /// <typeparam name="T">The value's type.</typeparam>
    /// <param name="name">The shared value's name.</param>
    /// <param name="serializer">Turns values into bytes and back.</param>
    /// <param name="options">Size, place and way of waiting. Null: the defaults.</param>
    /// <exception cref="ArgumentException">The name breaks the rule, or an option is out of range.</exception>
    /// <exception cref="ShmRegionFormatException">What stands under the name is not such a value; the message holds what was found and
    /// what was expected.</exception>
    /// <exception cref="ShmNoSpaceException">Shared memory has too little room.</exception>
    /// <exception cref="UnauthorizedAccessException">The value or its directory belongs to somebody else.</exception>
    public static SharedValue<T> CreateOrOpen<T>(string name, IPayloadSerializer<T> serializer, SharedValueOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(serializer);
        return new(ValueRegion.CreateOrOpen(name, serializer.Format, serializer.Schema, options), serializer);
    }

    /// <summary>Creates a shared value of MessagePack format.</summary>
    /// <inheritdoc cref="Create{T}(string, IPayloadSerializer{T}, SharedValueOptions?)"/>
    [RequiresDynamicCode(DynamicCode)]
    [RequiresUnreferencedCode(DynamicCode)]
    public static SharedValue<T> Create<T>(string name, SharedValueOptions? options = null) =>
        Create(name, new MessagePackPayload<T>(), options);

    /// <summary>Creates a shared value. Until somebody writes it is empty.</summary>
    /// <inheritdoc cref="CreateOrOpen{T}(string, IPayloadSerializer{T}, SharedValueOptions?)"/>
    /// <exception cref="ShmRegionExistsException">The name is taken.</exception>
    public static SharedValue<T> Create<T>(string name, IPayloadSerializer<T> serializer, SharedValueOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(serializer);
        return new(ValueRegion.Create(name, serializer.Format, serializer.Schema, options), serializer);
    }

    /// <summary>Opens an existing shared value of MessagePack format.</summary>
    /// <inheritdoc cref="Open{T}(string, IPayloadSerializer{T}, SharedValueOptions?)"/>
    [RequiresDynamicCode(DynamicCode)]
    [RequiresUnreferencedCode(DynamicCode)]
    public static SharedValue<T> Open<T>(string name, SharedValueOptions? options = null) =>
        Open(name, new MessagePackPayload<T>(), options);

    /// <summary>Opens an existing shared value.</summary>
    /// <inheritdoc cref="CreateOrOpen{T}(string, IPayloadSerializer{T}, SharedValueOptions?)"/>
    /// <exception cref="ShmRegionNotFoundException">There is none of that name.</exception>
    public static SharedValue<T> Open<T>(string name, IPayloadSerializer<T> serializer, SharedValueOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(serializer);
        return new(ValueRegion.Open(name, serializer.Format, serializer.Schema, options), serializer);
    }

    /// <summary>Deletes a shared value, in use or not. Whoever still uses it gets <see cref="ShmRegionDeletedException"/> at its next
    /// read, write or wait; pending waits end with it.</summary>
    /// <param name="name">The shared value's name.</param>
    /// <param name="root">Directory that holds it. Null: as <see cref="SharedValueOptions.Root"/>.</param>
    /// <returns>False when there was none.</returns>
    public static bool Delete(string name, string? root = null)
    {
        LinuxPlatform.Require();
        return RegionFile.Delete(name, root);
    }

    /// <summary>True when something stands under the name; opening it may still be refused.</summary>
    /// <param name="name">The shared value's name.</param>
    /// <param name="root">Directory that holds it. Null: as <see cref="SharedValueOptions.Root"/>.</param>
    public static bool Exists(string name, string? root = null)
    {
        LinuxPlatform.Require();
        return RegionFile.Exists(name, root);
    }
}
