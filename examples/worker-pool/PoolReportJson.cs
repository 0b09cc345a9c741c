// How a report becomes JSON, generated when the program is compiled, so that it works in a native program too.
using System.Text.Json.Serialization;

namespace ShmIpc.Examples.Pool;

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PoolReport))]
internal sealed partial class PoolReportJson : JsonSerializerContext;
