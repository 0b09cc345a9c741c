// Which serializer a pool's jobs and results have: the one that the options name, else one that goes by the type.

using System.Diagnostics.CodeAnalysis;
using ShmIpc.Serialization;

namespace ShmIpc.Workers;

internal static class PayloadChoice
{
    /// <summary>A value that the library's own serializers can write: as little as there is of that type.</summary>
    public static T NoContent<T>() =>
        typeof(T) == typeof(string) ? (T)(object)"" : typeof(T) == typeof(byte[]) ? (T)(object)Array.Empty<byte>() : default!;

    /// <summary>Makes the serializer.</summary>
    /// <param name="chosen">The type that the options name, or null.</param>
    /// <param name="option">The option's name, for messages.</param>
    /// <exception cref="ArgumentException">The type cannot be made, or serializes something else.</exception>
    [RequiresDynamicCode(WorkerPool.DynamicCode)]
    [RequiresUnreferencedCode(WorkerPool.DynamicCode)]
    public static IPayloadSerializer<T> Of<T>(Type? chosen, string option)
    {
        if (chosen is null)
        {
            return typeof(T) == typeof(byte[]) ? (IPayloadSerializer<T>)(object)new BytesPayload()
                : typeof(T) == typeof(string) ? (IPayloadSerializer<T>)(object)new StringPayload()
                : new MessagePackPayload<T>();
        }

        if (!typeof(IPayloadSerializer<T>).IsAssignableFrom(chosen) || chosen.IsAbstract)
        {
            throw new ArgumentException(
                $"{option} is {chosen}, which is no class that implements IPayloadSerializer<{typeof(T)}>.", option);
        }

        System.Reflection.ConstructorInfo? constructor = chosen.GetConstructors()
            .FirstOrDefault(candidate => candidate.GetParameters().All(parameter => parameter.IsOptional));
        return constructor is not null
            ? (IPayloadSerializer<T>)constructor.Invoke(
                [.. constructor.GetParameters().Select(parameter => parameter.DefaultValue)])
            : throw new ArgumentException(
                $"{option} is {chosen}, which has no public constructor without parameters: the workers could not make it.", option);
    }
}
