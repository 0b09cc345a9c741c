// A launch as text: what travels to a worker in its environment, or to a fork server in a message. Handles travel beside it.

using System.Text;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace ShmIpc.Workers;

internal static class LaunchMessage
{
    /// <summary>The handles that go with a launch, in their order.</summary>
    public static SafeFileHandle[] Handles(WorkerLaunch launch) =>
    [
        .. launch.Region is null ? Array.Empty<SafeFileHandle>() : [launch.Region],
        .. launch.MoreRegions,
        .. launch.Shared.Select(region => region.Memory).OfType<SafeFileHandle>(),
    ];

    public static byte[] Write(WorkerLaunch launch, int parentId)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream))
        {
            writer.WriteStartObject();
            writer.WriteNumber("parent", parentId);
            writer.WriteNumber("index", launch.Index);
            writer.WriteNumber("incarnation", launch.Incarnation);
            writer.WriteString("body", launch.Body);
            writer.WriteString("entry", launch.Entry);
            writer.WriteString("preload", launch.Preload);
            writer.WriteString("regionName", launch.RegionName);
            writer.WriteBoolean("hasRegion", launch.Region is not null);
            writer.WriteNumber("handles", Handles(launch).Length);
            WriteNames(writer, "shared", launch.Shared.Where(region => !region.IsAnonymous));
            WriteNames(writer, "anonymous", launch.Shared.Where(region => region.IsAnonymous));
            writer.WriteStartObject("settings");
            foreach ((string key, string value) in launch.Settings)
            {
                writer.WriteString(key, value);
            }

            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return stream.ToArray();
    }

    /// <summary>Reads a launch, and keeps its shared regions for those who ask for them.</summary>
    /// <param name="text">From <see cref="Write"/>.</param>
    /// <param name="handles">Makes the handle of a number, from 0 on.</param>
    /// <param name="parentId">The process that may not end before the worker does.</param>
    public static WorkerLaunch Read(ReadOnlyMemory<byte> text, Func<int, SafeFileHandle> handles, out int parentId)
    {
        using JsonDocument document = JsonDocument.Parse(text);
        JsonElement root = document.RootElement;
        parentId = root.GetProperty("parent").GetInt32();
        SafeFileHandle[] all = new SafeFileHandle[root.GetProperty("handles").GetInt32()];
        for (int i = 0; i < all.Length; i++)
        {
            all[i] = handles(i);
        }

        string[] shared = ReadNames(root, "shared");
        int ownHandles = all.Length - shared.Length;
        SharedRegionTable.Accept(shared.Zip(all[ownHandles..]), ReadNames(root, "anonymous"));
        bool hasRegion = root.GetProperty("hasRegion").GetBoolean();
        return new WorkerLaunch(
            root.GetProperty("index").GetInt32(),
            root.GetProperty("incarnation").GetInt32(),
            root.GetProperty("body").GetString()!,
            root.GetProperty("regionName").GetString()!,
            hasRegion ? all[0] : null,
            root.GetProperty("settings").EnumerateObject().ToDictionary(setting => setting.Name, setting => setting.Value.GetString()!))
        {
            MoreRegions = all[(hasRegion ? 1 : 0)..ownHandles],
            Entry = root.GetProperty("entry").GetString(),
            Preload = root.GetProperty("preload").GetString(),
        };
    }

    public static string Text(byte[] message) => Encoding.UTF8.GetString(message);

    private static void WriteNames(Utf8JsonWriter writer, string property, IEnumerable<SharedRegion> regions)
    {
        writer.WriteStartArray(property);
        foreach (SharedRegion region in regions)
        {
            writer.WriteStringValue(region.Name);
        }

        writer.WriteEndArray();
    }

    private static string[] ReadNames(JsonElement root, string property) =>
        [.. root.GetProperty(property).EnumerateArray().Select(name => name.GetString()!)];
}
