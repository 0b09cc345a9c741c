// The reviewed list of what no test runs, and why: "file: method: reason", one a line; * stands for every method of the file.

namespace ShmIpc.Coverage;

internal sealed class Justifications(string path)
{
    private readonly List<(string File, string Method, string Reason)> _all =
    [
        .. File.ReadLines(path).Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split(": ", 3))
            .Select(parts => parts.Length == 3
                ? (parts[0], parts[1], parts[2])
                : throw new InvalidDataException($"{path}: not \"file: method: reason\": {string.Join(": ", parts)}")),
    ];

    private readonly HashSet<(string File, string Method)> _used = [];

    /// <summary>Those that fit nothing (any more).</summary>
    public IEnumerable<string> Unused => _all.Where(entry => !_used.Contains((entry.File, entry.Method)))
        .Select(entry => $"{entry.File}: {entry.Method}");

    public string? Of(string file, string method)
    {
        foreach ((string File, string Method, string Reason) entry in _all)
        {
            if (entry.File == file && (entry.Method == method || entry.Method == "*"))
            {
                _used.Add((entry.File, entry.Method));
                return entry.Reason;
            }
        }

        return null;
    }
}
