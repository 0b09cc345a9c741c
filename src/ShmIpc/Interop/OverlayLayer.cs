// Where an overlay file system keeps a file: overlayfs answers for itself when it is asked for its type, so that a file in the tmpfs of a
// live system or a container would pass for one on a disk.

using System.Text;

namespace ShmIpc.Interop;

internal static class OverlayLayer
{
    private const string Upper = "upperdir=";

    /// <summary>The place of an open file in the layer that is written to. Null where that cannot be found out: the layers of a container
    /// are where it cannot see them.</summary>
    /// <param name="descriptorPath">The descriptor in /proc.</param>
    /// <param name="isWritten">Whether the file certainly lies in that layer: then the layer itself is enough. Otherwise the path is where
    /// the file lies if it is there, and another layer has it if not.</param>
    public static string? UpperPathOf(string descriptorPath, bool isWritten)
    {
        var descriptor = KernelFile.Text(descriptorPath.Replace("/fd/", "/fdinfo/", StringComparison.Ordinal));
        return KernelFile.Field(descriptor, "mnt_id") is { } mount && KernelFile.Text("/proc/self/mountinfo") is { } mounts
            ? UpperPathOf(mount, mounts, isWritten ? null : new FileInfo(descriptorPath).LinkTarget ?? "")
            : null;
    }

    /// <inheritdoc cref="UpperPathOf(string, bool)"/>
    /// <param name="mount">The number of the mount.</param>
    /// <param name="mounts">What mountinfo says.</param>
    /// <param name="path">Where the file lies in the overlay; null for the layer itself.</param>
    internal static string? UpperPathOf(string mount, string mounts, string? path)
    {
        // 36 35 0:40 /root/in/it /mount/point rw,relatime shared:1 - overlay overlay rw,lowerdir=/l,upperdir=/u,workdir=/w
        var fields = mounts.Split('\n').Select(line => line.Split(' ')).FirstOrDefault(fields => fields[0] == mount) ?? [];
        if (fields.Length < 10 || fields[^3] != "overlay") return null;
        var option = fields[^1].Split(',').FirstOrDefault(option => option.StartsWith(Upper, StringComparison.Ordinal));
        if (option is null) return null;
        var layer = Unescaped(option[Upper.Length..]);
        if (path is null) return layer;
        var (root, point) = (Unescaped(fields[3]), Unescaped(fields[4]));
        var inside = Path.GetRelativePath(point, path);
        return inside.StartsWith("..", StringComparison.Ordinal)
            ? null
            : Path.TrimEndingDirectorySeparator(Path.GetFullPath(Path.Join(layer, root, inside)));
    }

    // \040 for a space and so on, as in all lists of mounts.
    private static string Unescaped(string text)
    {
        StringBuilder unescaped = new();
        for (var i = 0; i < text.Length; i++)
        {
            var isCode = text[i] == '\\' && i + 3 < text.Length && text.AsSpan(i + 1, 3).IndexOfAnyExceptInRange('0', '7') < 0;
            unescaped.Append(isCode ? (char)Convert.ToInt32(text.Substring(i + 1, 3), 8) : text[i]);
            if (isCode) i += 3;
        }

        return unescaped.ToString();
    }
}
