// Results for scripts.
using System.Text.Json;

namespace ShmIpc.Examples.Terminal;

/// <summary>Writes results as JSON.</summary>
public static class JsonFile
{
    private static readonly JsonSerializerOptions _options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
    };

    /// <summary>Writes <paramref name="result"/> to <paramref name="path"/>, or nowhere when that is null. A reader sees the whole file
    /// or none.</summary>
    public static void Write<T>(string? path, T result)
    {
        if (path is null)
            return;
        string unfinished = path + ".unfinished";
        File.WriteAllText(unfinished, JsonSerializer.Serialize(result, _options) + "\n");
        File.Move(unfinished, path, overwrite: true);
    }
}
