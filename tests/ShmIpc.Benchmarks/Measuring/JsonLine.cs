// How everything that crosses a process boundary or goes to a file is written: camel case, enums by name.

using System.Text.Json;
using System.Text.Json.Serialization;

namespace ShmIpc.Benchmarks.Measuring;

internal static class JsonLine
{
    public static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    public static readonly JsonSerializerOptions Indented = new(Options) { WriteIndented = true };
}
